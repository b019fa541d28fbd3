/*
 * main: every promise of kernel.h, on the processor that there is, with no operating system below.
 *
 * The kernels are those of the build, as linked into the service. The outcome goes to the first
 * serial port, a line for each function and "all right" at the end; then the emulator is told to stop.
 */
#include "kernel_cases.h"

#include <string.h>

enum { SERIAL = 0x3f8, SERIAL_FORM = SERIAL + 3, SERIAL_STATUS = SERIAL + 5 };
enum {
    SERIAL_IS_FREE = 1 << 5,
    SERIAL_IS_IDLE = 1 << 6,
    SERIAL_8_BITS = 3,
    SERIAL_SET_SPEED = 1 << 7
};
enum { SHUTDOWN = 0x8900 }; /* of Bochs: the word, letter by letter */

int main(void);
void __stack_chk_fail(void);

static void
out(uint16_t port, char value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t
in(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void
open_serial(void)
{
    out(SERIAL_FORM, (char)(SERIAL_8_BITS | SERIAL_SET_SPEED));
    out(SERIAL, 1); /* 115200 baud */
    out(SERIAL + 1, 0);
    out(SERIAL_FORM, SERIAL_8_BITS);
}

static void
say(const char *text)
{
    for (; *text != '\0'; text++) {
        while ((in(SERIAL_STATUS)&SERIAL_IS_FREE) == 0)
            continue;
        out(SERIAL, *text);
    }
}

static void
say_number(uint64_t number)
{
    char digits[21], *at = digits + sizeof digits;

    *--at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    say(at);
}

static void
say_named(const char *name, uint64_t number)
{
    say(" ");
    say(name);
    say(" ");
    say_number(number);
}

static _Noreturn void
stop(void)
{
    while ((in(SERIAL_STATUS)&SERIAL_IS_IDLE) == 0) /* the last letters are on their way */
        continue;
    for (const char *word = "Shutdown"; *word != '\0'; word++)
        out(SHUTDOWN, *word);
    for (;;)
        __asm__ volatile("hlt");
}

static bool
holds(const struct kernel *kernel, const struct kernel_check *check)
{
    struct kernel_fault fault = {0};
    bool is_right;
    uint32_t n = check->run(kernel, 1, &is_right, &fault);

    say(kernel->name);
    say(" ");
    say(check->name);
    say_named("cases", n);
    if (!is_right) {
        say(": WRONG: ");
        say(fault.sort);
        say_named("case", fault.number);
        say_named("size", fault.size);
        say_named("others", fault.others);
        say_named("at", fault.at);
        say_named("got", fault.got);
        say_named("wanted", fault.wanted);
    }
    say("\n");
    return is_right;
}

int
main(void)
{
    static const char *const names[] = {"plain", "avx2", "avx512"};
    bool is_right = true;

    open_serial();
    say("this processor runs ");
    say(kernel_names());
    say("\n");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct kernel *kernel = kernel_find(names[i]);

        if (kernel == NULL) {
            say(names[i]);
            say(": this processor can't run it\n");
            is_right = false;
            continue;
        }
        for (size_t k = 0; k < KERNEL_CHECKS; k++)
            is_right &= holds(kernel, &kernel_checks[k]);
    }
    say(is_right ? "all right\n" : "WRONG\n");
    stop();
}

/* ---- what the compiler and the kernels call ---- */

void
__stack_chk_fail(void)
{
    say("the stack was overrun\n");
    stop();
}

void *
memset(void *to, int byte, size_t n)
{
    void *at = to;

    __asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(byte) : "memory");
    return to;
}

void *
memcpy(void *restrict to, const void *restrict from, size_t n)
{
    void *at = to;

    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
    return to;
}

int
strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}
