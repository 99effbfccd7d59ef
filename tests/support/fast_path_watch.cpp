// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fast_path_watch.h"

#include "common/error.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <rte_malloc.h>
#include <sys/prctl.h>
#include <sys/ucontext.h>

namespace adit::test {

namespace {

struct Watched {
    bool armed;
    char selector; // read by the kernel at every system call of this thread
    Surprises found;
};

constinit thread_local Watched watched{
    .armed = false, .selector = PR_SYS_DISPATCH_OFF, .found = {}};

void note(std::uint64_t& counter, const char* function) {
    if (counter++ == 0 && watched.found.first_function == nullptr)
        watched.found.first_function = function;
}

void note_allocation(const char* function) {
    if (watched.armed)
        note(watched.found.allocations, function);
}

void note_lock(const char* function) {
    if (watched.armed)
        note(watched.found.locks, function);
}

void set_selector(char value) {
    // The kernel reads it, which the compiler cannot know.
    *const_cast<volatile char*>(&watched.selector) = value;
}

void on_dispatched_call(int, siginfo_t* signal, void* context) {
    set_selector(SYSCALL_DISPATCH_FILTER_ALLOW); // or returning from here would be the next one
    if (watched.found.system_calls++ == 0)
        watched.found.first_system_call = signal->si_syscall;
    // The registers are as they were before; go back to the instruction and let it happen.
    constexpr greg_t kSyscallInstructionBytes = 2;
    static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP] -= kSyscallInstructionBytes;
}

template <class Function> Function* next(Function*, const char* name) {
    auto* found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
    ENSURE(found != nullptr);
    return found;
}

} // namespace

std::string to_string(const Surprises& surprises) {
    std::string text = std::to_string(surprises.allocations) + " allocations, " +
                       std::to_string(surprises.locks) + " locks";
    if (surprises.first_function != nullptr)
        text += std::string{" (the first: "} + surprises.first_function + ")";
    text += ", " + std::to_string(surprises.system_calls) + " system calls";
    if (surprises.system_calls != 0)
        text += " (the first: number " + std::to_string(surprises.first_system_call) +
                " of <asm/unistd_64.h>; 228 is clock_gettime, when this machine's clock source has "
                "no vDSO)";
    return text;
}

FastPathWatch::FastPathWatch() {
    watched = {.armed = false, .selector = SYSCALL_DISPATCH_FILTER_ALLOW, .found = {}};
    struct sigaction action{};
    action.sa_sigaction = &on_dispatched_call;
    action.sa_flags = SA_SIGINFO;
    ENSURE(sigaction(SIGSYS, &action, nullptr) == 0);
    if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &watched.selector) != 0) {
        std::fprintf(stderr,
                     "syscall user dispatch: %s; this test needs Linux 5.11 or newer\n",
                     std::strerror(errno));
        std::abort();
    }
}

FastPathWatch::~FastPathWatch() {
    prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
    std::signal(SIGSYS, SIG_DFL);
}

void FastPathWatch::arm() noexcept {
    watched.armed = true;
    set_selector(SYSCALL_DISPATCH_FILTER_BLOCK);
}

void FastPathWatch::disarm() noexcept {
    set_selector(SYSCALL_DISPATCH_FILTER_ALLOW);
    watched.armed = false;
}

Surprises FastPathWatch::found() const {
    return watched.found;
}

} // namespace adit::test

// ---------------------------------------------------------------------------------------------------
// What stands in front. Names and types are the C library's and DPDK's.

extern "C" {

void* __libc_malloc(std::size_t bytes) noexcept;
void* __libc_calloc(std::size_t count, std::size_t bytes) noexcept;
void* __libc_realloc(void* old, std::size_t bytes) noexcept;
void* __libc_memalign(std::size_t alignment, std::size_t bytes) noexcept;
void __libc_free(void* memory) noexcept;

void* malloc(std::size_t bytes) noexcept {
    adit::test::note_allocation("malloc");
    return __libc_malloc(bytes);
}

void* calloc(std::size_t count, std::size_t bytes) noexcept {
    adit::test::note_allocation("calloc");
    return __libc_calloc(count, bytes);
}

void* realloc(void* old, std::size_t bytes) noexcept {
    adit::test::note_allocation("realloc");
    return __libc_realloc(old, bytes);
}

void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
    adit::test::note_allocation("memalign");
    return __libc_memalign(alignment, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
    adit::test::note_allocation("aligned_alloc");
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
    adit::test::note_allocation("posix_memalign");
    *memory = __libc_memalign(alignment, bytes);
    return *memory == nullptr ? ENOMEM : 0;
}

void free(void* memory) noexcept {
    adit::test::note_allocation("free");
    __libc_free(memory);
}

void* rte_malloc_socket(const char* type, std::size_t bytes, unsigned alignment, int socket) {
    adit::test::note_allocation(__func__);
    static const auto real = adit::test::next(&rte_malloc_socket, __func__);
    return real(type, bytes, alignment, socket);
}

void* rte_malloc(const char* type, std::size_t bytes, unsigned alignment) {
    return rte_malloc_socket(type, bytes, alignment, SOCKET_ID_ANY);
}

void* rte_zmalloc_socket(const char* type, std::size_t bytes, unsigned alignment, int socket) {
    adit::test::note_allocation(__func__);
    static const auto real = adit::test::next(&rte_zmalloc_socket, __func__);
    return real(type, bytes, alignment, socket);
}

void* rte_zmalloc(const char* type, std::size_t bytes, unsigned alignment) {
    return rte_zmalloc_socket(type, bytes, alignment, SOCKET_ID_ANY);
}

void rte_free(void* memory) {
    adit::test::note_allocation(__func__);
    static const auto real = adit::test::next(&rte_free, __func__);
    real(memory);
}

#define WATCH_LOCK(function, type)                                                                 \
    int function(type* lock) noexcept {                                                            \
        adit::test::note_lock(#function);                                                          \
        static const auto real = adit::test::next(&function, #function);                           \
        return real(lock);                                                                         \
    }

WATCH_LOCK(pthread_mutex_lock, pthread_mutex_t)
WATCH_LOCK(pthread_mutex_trylock, pthread_mutex_t)
WATCH_LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
WATCH_LOCK(pthread_rwlock_tryrdlock, pthread_rwlock_t)
WATCH_LOCK(pthread_rwlock_wrlock, pthread_rwlock_t)
WATCH_LOCK(pthread_rwlock_trywrlock, pthread_rwlock_t)
WATCH_LOCK(pthread_spin_lock, pthread_spinlock_t)
WATCH_LOCK(pthread_spin_trylock, pthread_spinlock_t)

} // extern "C"
