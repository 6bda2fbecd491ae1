using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millrace.Contracts;

/// <summary>
/// Says that something in a store changed, so that those who keep a copy read it again; the body of a record of the
/// control topic. The stores hold the truth: a notice may come twice, late, or not at all.
/// </summary>
/// <param name="Kind">One of <see cref="ControlKinds"/>.</param>
/// <param name="Id">Device id, query name, dead-letter id, or what the kind says.</param>
public sealed record ControlNotice(string Kind, string Id) : IJsonOnDeserialized
{
    /// <summary>What says too little is unreadable, and so passed over by all who read notices.</summary>
    void IJsonOnDeserialized.OnDeserialized()
    {
        if (Kind is null || Id is null) throw new JsonException("A notice has a kind and an id.");
    }
}

public static class ControlKinds
{
    /// <summary>A device was created, changed, disabled or deleted.</summary>
    public const string Device = "device";

    /// <summary>A query was applied, paused, resumed or deleted.</summary>
    public const string Query = "query";

    /// <summary>A dead letter is to be tried again by the stage that failed.</summary>
    public const string DeadLetterReplay = "dead-letter-replay";

    /// <summary>
    /// A gateway waits for a session of which another has the connection; the id is device/epoch/client.
    /// </summary>
    public const string SessionWanted = "session-wanted";
}
