/* So many UTS namespaces with so many processes each: `crowd NAMESPACES PROCESSES`, all of it this
   process's children. Says a line once they are there. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int namespaces, processes, ready[2];
	char byte;

	if (argc != 3)
		return 1;
	namespaces = atoi(argv[1]);
	processes = atoi(argv[2]);
	for (int n = 0; n < namespaces; n++) {
		if (pipe(ready) != 0)
			return 1;
		if (fork() == 0) {
			if (unshare(CLONE_NEWUTS) != 0)
				return 1;
			for (int p = 1; p < processes; p++)
				if (fork() == 0)
					for (;;)
						pause();
			if (write(ready[1], "x", 1) != 1)
				return 1;
			for (;;)
				pause();
		}
		close(ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			return 1;
		close(ready[0]);
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
