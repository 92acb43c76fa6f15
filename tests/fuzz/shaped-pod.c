/* A Pod with the right fields, and a policy that may mean it. */

#include <config.h>
#include "fuzz/shape.h"

static const char cluster[] =
    "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\","
    "\"metadata\":{\"namespace\":\"a\",\"name\":\"p\"},\"spec\":"
    "{\"podSelector\":{},\"ingress\":[{\"from\":[{\"podSelector\":"
    "{\"matchLabels\":{\"app\":\"web\"}}},{\"namespaceSelector\":"
    "{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"Exists\"}]}}],"
    "\"ports\":[{\"port\":\"http\"},{\"port\":\"dns\",\"protocol\":"
    "\"UDP\"}]}],\"policyTypes\":[\"Ingress\",\"Egress\"]}}\n";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    shape_run(data, size, cluster, shape_pod);
    return 0;
}
