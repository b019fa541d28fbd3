/*
 * boot: from the BIOS to main() in long mode, with the registers of AVX-512 switched on.
 *
 * The first sector of a disk, which the BIOS loads to 0x7c00 and jumps to in real mode. It loads what
 * follows on the disk to 0x10000 (where link.ld puts it), maps the first gigabyte as it is, and goes
 * straight to 64 bits. There are no interrupts and no handler of a fault: a fault is a third
 * fault, at which the emulator stops.
 */
        .equ    CHUNK, 64                       /* sectors a read */
        .equ    TABLES, 0x1000                  /* three pages of tables */

        .section .boot, "ax"
        .code16
        .globl  start
start:
        cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        movw    $n_chunks, %cx
load:
        movw    $request, %si
        movb    $0x42, %ah
        pushw   %cx
        pushw   %dx
        int     $0x13                           /* "extended read", of the drive in dl */
        popw    %dx
        popw    %cx
        jc      failed
        addw    $(CHUNK * 512 / 16), request + 6
        addl    $CHUNK, request + 8
        loop    load

        inb     $0x92, %al                      /* all address lines */
        orb     $2, %al
        andb    $0xfe, %al
        outb    %al, $0x92

        movw    $TABLES, %di                    /* empty tables */
        movw    $(3 * 4096 / 2), %cx
        xorw    %ax, %ax
        cld
        rep     stosw
        movl    $(TABLES + 0x1003), TABLES
        movl    $(TABLES + 0x2003), TABLES + 0x1000
        movw    $(TABLES + 0x2000), %di
        movl    $0x83, %eax                     /* present, to be written, of 2 MiB */
map:
        movl    %eax, (%di)
        addl    $0x200000, %eax
        addw    $8, %di
        cmpw    $(TABLES + 0x3000), %di
        jne     map

        movl    $0x40620, %eax                  /* PAE, OSFXSR, OSXMMEXCPT, OSXSAVE */
        movl    %eax, %cr4
        movl    $TABLES, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx               /* EFER.LME */
        rdmsr
        orl     $0x100, %eax
        wrmsr
        lgdt    table
        movl    $0x80000013, %eax               /* PG, ET, MP, PE */
        movl    %eax, %cr0
        ljmp    $8, $long_mode
failed:
        hlt
        jmp     failed

        .align  4
request:
        .word   16, CHUNK, 0, 0x1000            /* to 0x1000:0 */
        .long   1, 0                            /* from the second sector */

        .align  8
descriptors:
        .quad   0, 0x00209a0000000000, 0x0000920000000000
table:
        .word   . - descriptors - 1
        .long   descriptors

        .code64
long_mode:
        movw    $16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $stack_end, %esp
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        movl    $0xe7, %eax                     /* x87, SSE, AVX, and the three parts of AVX-512 */
        xsetbv
        call    main
stop:
        hlt
        jmp     stop

        .org    510
        .word   0xaa55
        .section .note.GNU-stack, "", @progbits
