using System.ComponentModel.DataAnnotations;

namespace Millrace.Hosting.Node;

/// <summary>Who this process is among those of one hub. Section "Node".</summary>
public sealed class NodeOptions
{
    /// <summary>
    /// The name of this process: no two of a hub have the same, and one that is started again has the one it had.
    /// </summary>
    [RegularExpression("^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        ErrorMessage = "A node name has 1 to 63 of a-z A-Z 0-9 . _ - and begins with a letter or a digit.")]
    public string Name { get; set; } = Environment.MachineName;

    /// <summary>
    /// How long this process may take to end: what is under way when it is over is cut off, as by a crash. Whoever runs
    /// it has to wait longer than this before it kills.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true, ErrorMessage = "It is from 1s to 1h.")]
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
