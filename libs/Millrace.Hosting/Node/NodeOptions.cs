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
}
