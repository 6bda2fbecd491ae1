using Millrace.Primitives;

namespace Millrace.Hosting;

/// <summary>Errors of starting a process.</summary>
public static class HostingErrors
{
    public static readonly ErrorDefinition ConfigurationInvalid = new("HO-0001",
        "The configuration is not valid.",
        "Each line below names a key and what is wrong with its value.",
        "Correct them; millrace check-config looks at the configuration without starting anything.");

    public static readonly ErrorDefinition PortTaken = new("HO-0002",
        "A listener could not be opened.",
        "Another process uses the address, or this one may not.",
        "Stop the other process, or choose another port; 0 takes any free one.");

    public static readonly ErrorDefinition NodeTaken = new("HO-0003",
        "Another process has this node's name.",
        "Two processes of one data folder are both called so; sessions, statuses and partitions are told apart by it.",
        "Give each process a name of its own with Node:Name, or end the other process.");

    public static readonly ErrorDefinition RateTooHigh = new("HO-0004",
        "The gateway would let in more than partitions of the warm store are reckoned for.",
        "With the stores on Cassandra, the gateway's limits keep devices to the rates of Cassandra:Telemetry.",
        "Lower the limit or leave it out, or raise the rate, with a shorter Bucket or more Shards.");

    public static readonly ErrorDefinition MembershipLost = new("HO-0005",
        "The cluster has gone on without this process.",
        "It lost sight of the majority of the members, or they of it, for Cluster:StableAfter.",
        "Let it be started again, as a supervisor does; if it happens often, look at the network and at pauses.");

    public static readonly ErrorDefinition PartFailed = new("HO-0006",
        "A part of this process failed and cannot go on.",
        "It met something that it does not know how to go on after; the log before has the whole of it.",
        "Let it be started again, as a supervisor does; if it happens again, look at the cause, and report it.");
}
