namespace Millrace.Mqtt.Topics;

/// <summary>How well a member of a group can take a message now; the best of them is given it.</summary>
public enum MemberReadiness : byte
{
    /// <summary>It has no room.</summary>
    Full,

    /// <summary>It has room to keep the message until it can be told of it.</summary>
    Keeps,

    /// <summary>It is there, and takes the message.</summary>
    Ready,
}
