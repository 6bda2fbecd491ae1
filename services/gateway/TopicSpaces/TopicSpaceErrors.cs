using Millrace.Primitives;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>Errors in the configuration of topic spaces; each has a page of its code under docs/errors.</summary>
public static class TopicSpaceErrors
{
    public static readonly ErrorDefinition SpaceInvalid = new("GW-0030",
        "A topic space is not valid.",
        "A space has a name of its own, says who may publish, and its topics belong to it alone.",
        "Repair what the detail names; docs/errors/GW-0030.md shows a space that is valid.");

    public static readonly ErrorDefinition AnonymousNotLoopback = new("GW-0031",
        "Connections without a credential would come from other machines.",
        "Gateway:TopicSpaces:AllowAnonymous is for tests on this machine, with topic spaces switched on.",
        "Set AllowAnonymous to false, or enable topic spaces and let every listener have a loopback address.");
}
