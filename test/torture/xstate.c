/*
 * For User-Mode Linux on processors with AMX; loaded before the C library (LD_PRELOAD).
 *
 * User-Mode Linux 6.1 keeps 2,696 bytes of the extended registers of a process, which is all that there is up to AVX-512 and protection keys. With AMX there are 11,008, and the host's kernel takes a set of
 * registers only whole: it refuses the shorter one, and the guest's kernel panics at its first process (`ptrace set fp regs failed`). So what is set is completed here with what the process has in the rest,
 * which nothing in a guest uses: tiles need a permission of the host's kernel that nobody asks for.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

/* Static: the guest's kernel calls from stacks of its own, which are small. It has one thread that traces. */
static _Alignas(64) unsigned char whole[65536];
static long (*next)(int request, ...);

__attribute__((constructor)) static void find_next(void) { *(void **)&next = dlsym(RTLD_NEXT, "ptrace"); }

long ptrace(enum __ptrace_request request, ...) {
  va_list words;
  va_start(words, request);
  int pid = va_arg(words, int);
  void *address = va_arg(words, void *);
  void *data = va_arg(words, void *);
  va_end(words);
  if (request == PTRACE_SETREGSET && (unsigned long)address == NT_X86_XSTATE) {
    const struct iovec *given = data;
    struct iovec all = { whole, sizeof whole };
    long result = next(PTRACE_GETREGSET, pid, address, &all);
    if (result < 0) return result;
    if (given->iov_len < all.iov_len) {
      memcpy(whole, given->iov_base, given->iov_len);
      return next(request, pid, address, &all);
    }
  }
  return next(request, pid, address, data);
}
