/* A program of somebody else's: builds with what is installed, and finds the library when it runs. */
#include <jumelage/jumelage.h>

#include <stdio.h>
#include <string.h>

int
main(void)
{
    struct jml_options options = JML_OPTIONS_INIT;
    struct jml_error error;
    jml_client *client;

    options.address = "unix:/nonexistent/jumelage.sock";
    if (jml_client_open(&options, &client, &error) != JML_UNREACHABLE)
        return 1;
    printf("%s %s\n", jml_version(), error.name);
    return strcmp(jml_version(), JML_VERSION_TEXT) != 0;
}
