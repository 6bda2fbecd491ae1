using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.Registry;

/// <summary>Limits of the registry. Section "Registry".</summary>
public sealed class RegistryOptions
{
    /// <summary>The largest tags object of a device, as UTF-8 JSON.</summary>
    public ByteSize TagsBytesMax { get; set; } = ByteSize.FromKiB(8);

    /// <summary>The most devices that one list page may have.</summary>
    [Range(1, 10_000)]
    public int PageDevicesMax { get; set; } = 1_000;

    /// <summary>The most devices that one request may create.</summary>
    [Range(1, 100_000)]
    public int CreateDevicesMax { get; set; } = 1_000;
}
