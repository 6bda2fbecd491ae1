using System.ComponentModel.DataAnnotations;

namespace Millrace.Extensions;

/// <summary>
/// Where reference data lives: objects of the object store, or a table of the warm store. One of Objects, Output and
/// Latest is set.
/// </summary>
public sealed class ReferenceOptions
{
    /// <summary>
    /// The key of an object, such as <c>reference/rooms.json</c>, or with a slash at its end that of a folder, whose
    /// objects are taken together in order of their keys.
    /// </summary>
    public string? Objects { get; set; }

    /// <summary>The output of a query whose rows are in the warm store.</summary>
    public string? Output { get; set; }

    /// <summary>
    /// Columns of the output: of the rows that are alike in them the latest is taken. Without any, every row is an
    /// entry.
    /// </summary>
    public List<string> Key { get; set; } = [];

    /// <summary>Rows of the output that are older than this are no entries.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan AgeMax { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Whether the entries are the latest values of all devices.</summary>
    public bool Latest { get; set; }
}
