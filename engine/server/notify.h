#ifndef JML_NOTIFY_H
#define JML_NOTIFY_H

/*
 * notify: a word to the service manager (systemd's NOTIFY_SOCKET), such as "READY=1".
 *
 * Does nothing where nobody asked to be told; what cannot be sent is not told, as sd_notify(3) advises.
 */
void notify_system(const char *words);

#endif
