/* Stands before libnl for a keepalived on a kernel without IPVS: each request is taken and said to be done.
 *
 * keepalived waits for an acknowledgement or for the end of an answer by callbacks of libnl; both are called at once.
 */
typedef int (*callback)(void *message, void *argument);

enum { NL_CB_FINISH = 1, NL_CB_ACK = 4 }; /* netlink/handlers.h */
static callback done[2];
static void *arguments[2];

int genl_ctrl_resolve(void *socket, const char *family)
{
    return 4242;
}

int nl_socket_modify_cb(void *socket, int type, int kind, callback function, void *argument)
{
    if (type == NL_CB_FINISH || type == NL_CB_ACK) {
        done[type == NL_CB_ACK] = function;
        arguments[type == NL_CB_ACK] = argument;
    }
    return 0;
}

int nl_socket_modify_err_cb(void *socket, int kind, void *function, void *argument)
{
    return 0;
}

int nl_send_auto(void *socket, void *message)
{
    return 1;
}

int nl_recvmsgs_default(void *socket)
{
    for (int number = 0; number < 2; number++)
        if (done[number])
            done[number](0, arguments[number]);
    return 0;
}
