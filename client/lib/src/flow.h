#ifndef JMLI_FLOW_H
#define JMLI_FLOW_H

/*
 * flow: what came of moving bytes to or from a socket that never waits, in plain text or in TLS.
 */
enum flow {
    FLOW_DONE,
    FLOW_AGAIN,  /* no more for now: when the socket is ready */
    FLOW_ENDED,  /* the peer has closed, in TLS with its close_notify or without: a frame tells by
                    itself whether it is whole */
    FLOW_FAILED, /* errno says why; 0: TLS itself, see secure.h */
};

#endif
