/* A NetworkPolicy with the right fields, among pods that it may mean. */

#include <config.h>
#include "fuzz/shape.h"

static const char cluster[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":"
    "\"a\",\"name\":\"web\",\"labels\":{\"app\":\"web\"}},\"spec\":"
    "{\"containers\":[{\"ports\":[{\"name\":\"http\",\"containerPort\":80}]}]}"
    ",\"status\":{\"podIPs\":[{\"ip\":\"10.0.0.1\"},{\"ip\":\"fd00::1\"}]}}\n"
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":"
    "\"a\",\"name\":\"db\",\"labels\":{\"app\":\"db\",\"tier\":\"a\"}},"
    "\"spec\":{\"containers\":[{\"ports\":[{\"name\":\"http\","
    "\"containerPort\":8080},{\"name\":\"dns\",\"protocol\":\"UDP\","
    "\"containerPort\":53}]}]},\"status\":{\"podIP\":\"10.0.0.2\"}}\n"
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":"
    "\"b\",\"name\":\"y\"},\"status\":{\"podIP\":\"10.0.0.9\"}}\n"
    "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":"
    "\"a\",\"labels\":{\"tier\":\"a\"}}}\n"
    "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":"
    "\"b\"}}\n";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    shape_run(data, size, cluster, shape_netpol);
    return 0;
}
