using Millrace.Stores.Sessions;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>What the subscriptions of one session that match a message ask for together.</summary>
internal sealed record Wanted(int Qos, bool RetainAsPublished, uint[] Ids)
{
    public static Wanted By(SessionSubscription asked) =>
        new(asked.Qos, asked.RetainAsPublished, asked.Identifier > 0 ? [asked.Identifier] : []);

    public Wanted And(Wanted other) => new(
        Math.Max(Qos, other.Qos), RetainAsPublished || other.RetainAsPublished, [.. Ids, .. other.Ids]);

    public bool Equals(Wanted? other) => other is not null && Qos == other.Qos
        && RetainAsPublished == other.RetainAsPublished && Ids.AsSpan().SequenceEqual(other.Ids);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Qos);
        hash.Add(RetainAsPublished);
        foreach (var id in Ids) hash.Add(id);
        return hash.ToHashCode();
    }
}
