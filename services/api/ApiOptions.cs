using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.Api;

/// <summary>Limits of the API. Section "Api".</summary>
public sealed class ApiOptions
{
    /// <summary>The most rows that one page may have.</summary>
    [Range(1, 100_000)]
    public int PageRowsMax { get; set; } = 1_000;

    /// <summary>
    /// The most alerts or dead letters that one page looks at; a search for what is rare ends there, and goes on with
    /// the next page.
    /// </summary>
    [Range(1, 100_000_000)]
    public int PageLookedAtMax { get; set; } = 100_000;

    /// <summary>The most devices that one request may read.</summary>
    [Range(1, 10_000)]
    public int DevicesPerReadMax { get; set; } = 100;

    /// <summary>The largest request body.</summary>
    public ByteSize RequestBytesMax { get; set; } = ByteSize.FromMiB(1);

    /// <summary>How long a token that was found valid is believed without asking the store again.</summary>
    [Range(0, 60_000)]
    public int TokenCacheMs { get; set; } = 500;

    /// <summary>
    /// How long the status waits for a count of a store, before it shows the one that was finished last and lets the
    /// counting go on.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan CountPatience { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How many live tails may be open at once.</summary>
    [Range(1, 100_000)]
    public int TailsMax { get; set; } = 100;
}
