/* Connects with wolfSSL: wolfssl HOST PORT CA */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *address;
    char text[80];
    int fd, error;

    if (argc != 4 || getaddrinfo(argv[1], argv[2], &hints, &address)) return 2;
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, address->ai_addr, address->ai_addrlen)) return 2;
    wolfSSL_Init();
    WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfSSLv23_client_method());
    if (wolfSSL_CTX_load_verify_locations(context, argv[3], NULL) != WOLFSSL_SUCCESS) return 2;
    wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_PEER, NULL);
    WOLFSSL *ssl = wolfSSL_new(context);
    wolfSSL_check_domain_name(ssl, argv[1]);
    wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, argv[1], (unsigned short)strlen(argv[1]));
    wolfSSL_set_fd(ssl, fd);
    if (wolfSSL_connect(ssl) == WOLFSSL_SUCCESS) {
        wolfSSL_shutdown(ssl);
        puts("connected");
        return 0;
    }
    error = wolfSSL_get_error(ssl, 0);
    printf("%d %s\n", error, wolfSSL_ERR_error_string((unsigned long)error, text));
    close(fd);
    return 0;
}
