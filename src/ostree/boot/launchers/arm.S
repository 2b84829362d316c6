/* As x86_64.S says; at 0x400054, behind the shorter headers of 32 bits. */
    .syntax unified
    .arm
    .globl _start
_start:
    ldr     r0, [sp]
    add     r2, sp, r0, lsl #2
    add     r2, r2, #8                  @ envp
    ldr     r1, [sp, #4]                @ argv[0]
    mov     r3, #0x410000
    mov     r4, r3                      @ behind the last slash
    mov     r5, #4000
    add     r6, r3, #4096
copy:
    ldrb    r7, [r1], #1
    strb    r7, [r6], #1
    strb    r7, [r3], #1
    cmp     r7, #'/'
    moveq   r4, r3
    cmp     r7, #0
    beq     2f
    subs    r5, r5, #1
    bne     copy
    b       fail
2:  adr     r1, busybox
    mov     r3, r4
3:  ldrb    r7, [r1], #1
    strb    r7, [r3], #1
    cmp     r7, #0
    bne     3b
    adr     r1, script
    add     r3, r4, #4096
4:  ldrb    r7, [r1], #1
    strb    r7, [r3], #1
    cmp     r7, #0
    bne     4b
    adr     r0, shell
    str     r0, [sp]                    @ argc makes room for one more argument
    mov     r0, #0x410000
    add     r0, r0, #4096
    str     r0, [sp, #4]
    mov     r0, #0x410000
    mov     r1, sp
    mov     r7, #11                     @ execve
    svc     #0
fail:
    mov     r0, #127
    mov     r7, #1                      @ exit
    svc     #0
shell:   .asciz "sh"
busybox: .asciz "busybox"
script:  .asciz "ostree-prepare-root.sh"
