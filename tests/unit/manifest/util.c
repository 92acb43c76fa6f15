#include <config.h>
#include "../unit.h"
#include "tests.h"

#include <string.h>

#include "openvswitch/dynamic-string.h"

const char sample_yaml[] =
    "# A comment.\n"
    "apiVersion: v1\n"
    "kind: Namespace\n"
    "metadata: {name: shop, labels: &labels {team: \"a\"}}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata:\n"
    "  name: web-0\n"
    "  namespace: shop\n"
    "  uid: 0b-1\n"
    "  labels:\n"
    "    app: web\n"
    "    tier: |-\n"
    "      front\n"
    "  managedFields: [{a: {b: [c]}}]\n"
    "spec:\n"
    "  nodeName: n1\n"
    "  initContainers:\n"
    "  - {name: i, ports: [{containerPort: 1}]}\n"
    "  - {name: s, restartPolicy: Always, ports: [{containerPort: 9000}]}\n"
    "  containers:\n"
    "  - name: c\n"
    "    ports:\n"
    "    - {name: http, containerPort: 8080, protocol: TCP}\n"
    "    - {name: dns, containerPort: 53, protocol: UDP, hostPort: 53}\n"
    "status:\n"
    "  phase: Running\n"
    "  podIP: 10.0.0.1\n"
    "  podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Node\n"
    "metadata: {name: n1.example}\n"
    "status:\n"
    "  addresses:\n"
    "  - {type: InternalIP, address: 192.0.2.1}\n"
    "  - {type: Hostname, address: n1}\n"
    "  - {type: ExternalIP, address: '2001:db8::1'}\n"
    "...\n"
    "---\n"
    "apiVersion: networking.k8s.io/v1\n"
    "kind: NetworkPolicy\n"
    "metadata:\n"
    "  name: p\n"
    "spec:\n"
    "  podSelector:\n"
    "    matchLabels: {app: web}\n"
    "    matchExpressions:\n"
    "    - {key: tier, operator: In, values: [b, a]}\n"
    "    - {key: x, operator: DoesNotExist}\n"
    "  policyTypes: [Ingress, Egress]\n"
    "  ingress:\n"
    "  - from:\n"
    "    - podSelector: {}\n"
    "      namespaceSelector:\n"
    "        matchLabels: {team: a}\n"
    "    - ipBlock:\n"
    "        cidr: 10.1.2.3/8\n"
    "        except: [10.1.0.0/16, 10.2.0.0/16]\n"
    "    ports:\n"
    "    - protocol: TCP\n"
    "      port: 80\n"
    "      endPort: 90\n"
    "    - port: http\n"
    "    - {}\n"
    "  egress:\n"
    "  - {}\n"
    "  - to: []\n"
    "    ports: null\n";

const char sample_json[] =
    "{\"kind\": \"PodList\", \"apiVersion\": \"v1\", \"metadata\": {},\n"
    " \"items\": [\n"
    "  {\"metadata\": {\"name\": \"a\", \"namespace\": \"x\"},\n"
    "   \"status\": {\"podIP\": \"10.0.0.1\"}},\n"
    "  {\"metadata\": {\"name\": \"b\", \"namespace\": \"x\",\n"
    "    \"annotations\": {\"q\": \"\\u00e9\\\\\\\"{[\"}},\n"
    "   \"spec\": {\"hostNetwork\": true, \"containers\": [{\"ports\":\n"
    "     [{\"containerPort\": 80}]}]}}]}\n";

struct np_manifest
decode(const char *text)
{
    struct np_manifest m = { .n = 0 };

    np_manifest_decode(&m, "f", text, strlen(text));
    return m;
}

void
check_manifest(struct np_manifest *m, const char *text, const char *objects,
               const char *errors)
{
    struct ds got = DS_EMPTY_INITIALIZER;
    struct ds got_errors = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < m->n; i++) {
        ds_put_format(&got, "%s%s ", i ? ";" : "",
                      np_kind_name(m->objects[i]->kind));
        np_object_format_key(m->objects[i], &got);
    }
    for (size_t i = 0; i < m->errors.n; i++) {
        if (i) {
            ds_put_char(&got_errors, '\n');
        }
        np_error_format(&m->errors.v[i], &got_errors);
    }
    if (strcmp(ds_cstr(&got), objects)
        || strcmp(ds_cstr(&got_errors), errors)) {
        fail_msg("%.1000s\n gave objects: %s\n expected: %s\n"
                 " gave errors:\n%s\n expected:\n%s", text, ds_cstr(&got),
                 objects, ds_cstr(&got_errors), errors);
    }
    ds_destroy(&got);
    ds_destroy(&got_errors);
    np_manifest_clear(m);
}

void
check(const char *text, const char *objects, const char *errors)
{
    struct np_manifest m = decode(text);

    check_manifest(&m, text, objects, errors);
}
