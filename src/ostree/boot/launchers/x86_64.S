/* Starts DIRECTORY/busybox sh DIRECTORY/ostree-prepare-root.sh, where DIRECTORY is that of argv[0].
   At 0x400078, behind the headers of the file; the buffers are two pages of zeros from 0x410000. */
    .globl _start
_start:
    mov     (%rsp), %rax
    lea     16(%rsp,%rax,8), %rdx       /* envp */
    mov     8(%rsp), %rsi               /* argv[0] */
    mov     $0x410000, %edi
    mov     %edi, %ebx                  /* behind the last slash */
    mov     $4000, %ecx
copy:
    lodsb
    mov     %al, 4096(%rdi)
    stosb
    cmp     $'/', %al
    jne     1f
    mov     %edi, %ebx
1:  test    %al, %al
    je      2f
    dec     %ecx
    jnz     copy
    jmp     fail
2:  lea     busybox(%rip), %rsi
    mov     %ebx, %edi
    mov     $8, %ecx
    rep movsb
    lea     script(%rip), %rsi
    lea     4096(%rbx), %edi
    mov     $23, %ecx
    rep movsb
    lea     shell(%rip), %rax
    mov     %rax, (%rsp)                /* argc makes room for one more argument */
    movl    $0x411000, %eax
    mov     %rax, 8(%rsp)
    mov     $0x410000, %edi
    mov     %rsp, %rsi
    mov     $59, %eax                   /* execve */
    syscall
fail:
    mov     $127, %edi
    mov     $60, %eax                   /* exit */
    syscall
shell:   .asciz "sh"
busybox: .asciz "busybox"
script:  .asciz "ostree-prepare-root.sh"
