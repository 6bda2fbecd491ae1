using Millrace.Primitives;

namespace Millrace.Api;

/// <summary>Errors of the API.</summary>
public static class ApiErrors
{
    public static readonly ErrorDefinition Unauthenticated = new("AP-0001",
        "The request has no valid bearer token.",
        "Every request needs one; it may be missing, unknown, expired or deleted.",
        "Send Authorization: Bearer TOKEN; millrace dev keeps an administrator's token in its data folder.");

    public static readonly ErrorDefinition Forbidden = new("AP-0002",
        "The token does not allow this request.",
        "Its scopes do not include the one that is needed.",
        "Use a token with a wider scope: read, operate or administer.");

    public static readonly ErrorDefinition NotFound = new("AP-0003",
        "There is nothing of that name.",
        "It was never made, or was deleted.",
        "List what is there and check the spelling.");

    public static readonly ErrorDefinition BadRequest = new("AP-0004",
        "The request cannot be understood.",
        "A parameter or the body has a form that does not fit.",
        "Look at the detail and at the OpenAPI document.");

    public static readonly ErrorDefinition QueryInvalid = new("AP-0005",
        "The query does not compile.",
        "The text has the errors that are listed.",
        "Mend the places that the list names by line and column.");

    public static readonly ErrorDefinition QueryConflict = new("AP-0006",
        "The query was changed by somebody else meanwhile.",
        "Another request saved a newer version first.",
        "Look at the query that is there and apply yours again.");

    public static readonly ErrorDefinition OutputTaken = new("AP-0007",
        "Another query writes this output.",
        "Each output has one query, so that its rows have one order.",
        "Choose another name after INTO, or delete the other query.");

    public static readonly ErrorDefinition Unexpected = new("AP-0008",
        "The request failed inside the platform.",
        "Something that should not happen did; the log has the whole of it.",
        "Try again; if it stays, look into the log at the time of the request.");

    public static readonly ErrorDefinition NotReplayable = new("AP-0009",
        "The dead letter cannot be replayed.",
        "It was replayed already, or a replay is under way.",
        "Look at its state with millrace deadletter list.");

    public static readonly ErrorDefinition QueryLoop = new("AP-0010",
        "The query would read what it writes.",
        "By itself or through other queries the output comes back to it, and each row would make the next.",
        "Write to another output, or read another input.");

    public static readonly ErrorDefinition ArchiveNameTaken = new("AP-0011",
        "The output cannot be archived under this name.",
        "Statements name its table so, without regard to case; telemetry, job_ and what else there is are taken.",
        "Choose another name after INTO, or apply the query without archiving.");

    public static readonly ErrorDefinition OlderRuns = new("AP-0012",
        "The upgrade cannot be finalised while older processes run.",
        "They would go on with stores that are no longer theirs; and who runs is known to members of the cluster only.",
        "Finish the rollout, look with millrace upgrade show, and finalise then.");
}
