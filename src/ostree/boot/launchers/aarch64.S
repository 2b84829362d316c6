/* As x86_64.S says; at 0x400078 likewise. */
    .globl _start
_start:
    ldr     x0, [sp]
    add     x2, sp, x0, lsl #3
    add     x2, x2, #16                 /* envp */
    ldr     x1, [sp, #8]                /* argv[0] */
    mov     x3, #0x410000
    mov     x4, x3                      /* behind the last slash */
    mov     w5, #4000
    add     x6, x3, #4096
copy:
    ldrb    w7, [x1], #1
    strb    w7, [x6], #1
    strb    w7, [x3], #1
    cmp     w7, #'/'
    csel    x4, x3, x4, eq
    cbz     w7, 2f
    subs    w5, w5, #1
    b.ne    copy
    b       fail
2:  adr     x1, busybox
    mov     x3, x4
3:  ldrb    w7, [x1], #1
    strb    w7, [x3], #1
    cbnz    w7, 3b
    adr     x1, script
    add     x3, x4, #4096
4:  ldrb    w7, [x1], #1
    strb    w7, [x3], #1
    cbnz    w7, 4b
    adr     x0, shell
    mov     x1, #0x410000
    add     x1, x1, #4096
    stp     x0, x1, [sp]                /* argc makes room for one more argument */
    mov     x0, #0x410000
    mov     x1, sp
    mov     x8, #221                    /* execve */
    svc     #0
fail:
    mov     x0, #127
    mov     x8, #93                     /* exit */
    svc     #0
shell:   .asciz "sh"
busybox: .asciz "busybox"
script:  .asciz "ostree-prepare-root.sh"
