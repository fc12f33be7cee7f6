/* The process that holds a pod's namespaces: it sleeps until it is told to go, and buries the pod's orphans. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave(int number) {
  (void)number;
  _exit(0);
}

static void bury(int number) {
  (void)number;
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
}

int main(void) {
  struct sigaction leaving = {.sa_handler = leave};
  struct sigaction burying = {.sa_handler = bury, .sa_flags = SA_NOCLDSTOP};
  if (sigaction(SIGINT, &leaving, NULL) != 0) return 1;
  if (sigaction(SIGTERM, &leaving, NULL) != 0) return 1;
  if (sigaction(SIGCHLD, &burying, NULL) != 0) return 1;
  for (;;) pause();
}
