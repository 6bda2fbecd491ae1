using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Millrace.Cluster.Transport;

namespace Millrace.Cluster;

/// <summary>The cluster of the hub's processes. Section "Cluster".</summary>
public sealed class ClusterOptions
{
    /// <summary>
    /// The processes that others join through, each as host:port: one, or three and more, the same list everywhere.
    /// Without any, this process is alone.
    /// </summary>
    public List<string> Seeds { get; set; } = [];

    /// <summary>The host name under which the others reach this process.</summary>
    [Required]
    public string Host { get; set; } = "localhost";

    /// <summary>The port under which the others reach this process, and on which it listens.</summary>
    [Range(1, 65535)]
    public int Port { get; set; } = 4053;

    /// <summary>The address to listen on; any but loopback needs <see cref="Tls"/>, or to be told otherwise.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>How members know each other.</summary>
    public ClusterTlsOptions Tls { get; set; } = new();

    /// <summary>Says that the address is in a network where only members of the cluster can reach the port.</summary>
    public bool AllowPlainOnAnyAddress { get; set; }

    /// <summary>How long a member that does not answer may be away, before the majority goes on without it.</summary>
    public TimeSpan StableAfter { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long another member may take to be connected with, certificates shown.</summary>
    public TimeSpan ConnectTimeMax { get; set; } = TimeSpan.FromSeconds(3);

    public bool IsEnabled => Seeds.Count > 0;
}

/// <summary>Checks what attributes cannot say.</summary>
internal sealed class ClusterOptionsValidator : IValidateOptions<ClusterOptions>
{
    public ValidateOptionsResult Validate(string? name, ClusterOptions options)
    {
        if (!options.IsEnabled) return ValidateOptionsResult.Success;
        var failures = new List<string>();
        if (options.Seeds.Count == 2)
            failures.Add("Cluster:Seeds names two; name one, or three and more: two do not survive the end of either.");
        failures.AddRange(options.Seeds.Where(seed => !IsAddress(seed))
            .Select(seed => $"Cluster:Seeds has '{seed}'; a seed is host:port."));
        if (!IPAddress.TryParse(options.Address, out var address))
            failures.Add($"Cluster:Address is '{options.Address}'; it must be an IP address.");
        else if (!IPAddress.IsLoopback(address) && !options.Tls.IsEnabled && !options.AllowPlainOnAnyAddress)
        {
            failures.Add($"Cluster:Address is {address}, not loopback, and members show each other no credential; " +
                "give them certificates (Cluster:Tls), or Cluster:AllowPlainOnAnyAddress allows it.");
        }

        if (options.Tls.IsEnabled && Fault(options.Tls) is { } fault) failures.Add(fault);
        if (options.StableAfter < TimeSpan.FromSeconds(1))
            failures.Add($"Cluster:StableAfter is {options.StableAfter}; choose a second or more.");
        if (options.ConnectTimeMax <= TimeSpan.Zero)
            failures.Add($"Cluster:ConnectTimeMax is {options.ConnectTimeMax}; make it more than 0.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static string? Fault(ClusterTlsOptions tls)
    {
        if (tls is not { CertificateFile: not null, KeyFile: not null, CaFile: not null })
            return "Cluster:Tls needs CertificateFile, KeyFile and CaFile, or none of them.";
        try
        {
            _ = new MemberCertificate(tls);
            return null;
        }
        catch (Exception cause) when (cause is IOException or CryptographicException or UnauthorizedAccessException
            or ArgumentException)
        {
            return $"Cluster:Tls cannot be used: {cause.Message}";
        }
    }

    private static bool IsAddress(string seed) =>
        seed.Split(':') is [{ Length: > 0 }, var port] && ushort.TryParse(port, out var number) && number > 0;
}
