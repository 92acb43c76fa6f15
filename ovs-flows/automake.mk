# The flow table inspection tool: one file a command.
bin_PROGRAMS += ovs-flows/ovs-flows
ovs_flows_ovs_flows_SOURCES = \
	ovs-flows/dump.c \
	ovs-flows/ovs-flows.c \
	ovs-flows/ovs-flows.h
dist_man_MANS += ovs-flows/ovs-flows.1
EXTRA_DIST += ovs-flows/PIPELINE.md
