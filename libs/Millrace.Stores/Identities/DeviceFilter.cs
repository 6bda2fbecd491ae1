using System.Text.Json;

namespace Millrace.Stores.Identities;

/// <summary>Which devices a list is of. What is not said does not matter; all that is said must hold.</summary>
public sealed record DeviceFilter
{
    public static readonly DeviceFilter All = new();

    /// <summary>What the id begins with.</summary>
    public string? IdPrefix { get; init; }

    /// <summary>What is somewhere in the id, in whatever case.</summary>
    public string? IdPart { get; init; }

    public DeviceStatus? Status { get; init; }

    public IReadOnlyList<TagFilter> Tags { get; init; } = [];

    /// <summary>
    /// How many devices one page looks at. It ends there, with a token, whatever it has found: so a search for what is
    /// rare among millions is answered in steps.
    /// </summary>
    public int LookedAtMax { get; init; } = int.MaxValue;

    /// <summary>Everything but the prefix, which stores look for by their order.</summary>
    internal bool Matches(DeviceIdentity device)
    {
        if (IdPart is { } part && !device.DeviceId.Contains(part, StringComparison.OrdinalIgnoreCase)) return false;
        if (Status is { } status && device.Status != status) return false;
        if (Tags.Count == 0) return true;
        var tags = JsonElement.Parse(device.TagsJson);
        return Tags.All(tag => tag.Matches(tags));
    }
}
