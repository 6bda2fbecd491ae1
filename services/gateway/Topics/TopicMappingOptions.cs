using System.ComponentModel.DataAnnotations;

namespace Millrace.Gateway.Topics;

/// <summary>What a free topic means.</summary>
public sealed class TopicMappingOptions
{
    /// <summary>
    /// Levels as in a topic; <c>{name}</c> takes one level as the application property of that name, and
    /// <c>{deviceId}</c> names the device (without it, the connection's own). A last level <c>#</c> takes what follows.
    /// Like <c>factory/{line}/{deviceId}/data</c>.
    /// </summary>
    [Required]
    public string Template { get; set; } = "";
}
