using System.Net;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Limits;
using Millrace.Gateway.Listeners;
using Millrace.Gateway.Sessions;
using Millrace.Gateway.Sockets.Tls;
using Millrace.Gateway.Topics;
using Millrace.Primitives;

namespace Millrace.Gateway;

/// <summary>Checks what attributes cannot say; all that is wrong is said at once.</summary>
internal sealed class GatewayOptionsValidator : IValidateOptions<GatewayOptions>
{
    private static readonly TimeSpan LingerLongest = TimeSpan.FromSeconds(1);

    public ValidateOptionsResult Validate(string? name, GatewayOptions options)
    {
        var failures = new List<string>();
        Plain(nameof(options.Mqtt), options.Mqtt, failures);
        Tls(nameof(options.Mqtts), options.Mqtts, failures);
        Plain(nameof(options.WebSocket), options.WebSocket, failures);
        Tls(nameof(options.WebSocketTls), options.WebSocketTls.OrCertificateOf(options.Mqtts), failures);
        Between(nameof(options.PacketBytesMax), options.PacketBytesMax, new(128), ByteSize.FromMiB(256), failures);
        Between(nameof(options.ConnectPacketBytesMax), options.ConnectPacketBytesMax, new(128),
            ByteSize.FromMiB(256), failures);
        Between(nameof(options.PartitionBufferBytesMax), options.PartitionBufferBytesMax, ByteSize.FromKiB(4),
            ByteSize.FromMiB(256), failures);
        if (options.LingerMax < TimeSpan.Zero || options.LingerMax > LingerLongest
            || options.LingerMax.Ticks % TimeSpan.TicksPerMillisecond != 0)
            failures.Add($"Gateway:LingerMax is {options.LingerMax}; choose whole milliseconds up to a second.");
        Between(nameof(options.LingerBytesMax), options.LingerBytesMax, new(1), ByteSize.FromMiB(256), failures);
        Between(nameof(options.ReadBufferBytesMax), options.ReadBufferBytesMax, ByteSize.FromKiB(64),
            ByteSize.FromMiB(16), failures);
        Positive(nameof(options.ConnectTimeout), options.ConnectTimeout, failures);
        Positive(nameof(options.CloseTimeout), options.CloseTimeout, failures);
        Positive(nameof(options.DrainTimeout), options.DrainTimeout, failures);
        Positive(nameof(options.IdentityRecheckInterval), options.IdentityRecheckInterval, failures);
        Sessions(options.Sessions, failures);
        if (options.KeepAliveMax < TimeSpan.Zero || options.KeepAliveMax.TotalSeconds > ushort.MaxValue)
            failures.Add($"Gateway:KeepAliveMax is {options.KeepAliveMax}; choose from 0 to 18:12:15.");
        LimitOptionsValidator.Validate(options.Limits, failures);
        if (options.Limits.Hub.ConnectsPerSecond > 0 && options.Limits.ConnectWaitMax >= options.ConnectTimeout)
            failures.Add("Gateway:Limits:ConnectWaitMax must be less than Gateway:ConnectTimeout; it is part of it.");
        foreach (var mapping in options.TopicMappings)
        {
            if (!TopicTemplate.TryParse(mapping.Template, out _))
                failures.Add(GatewayErrors.TemplateInvalid.With(mapping.Template).ToString());
        }

        foreach (var device in options.TrustedDevices.Where(device => !DeviceId.IsValid(device)))
            failures.Add($"Gateway:TrustedDevices: {PrimitiveErrors.DeviceIdInvalid.With(device)}");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void Plain(string name, PlainListenerOptions options, List<string> failures)
    {
        if (!options.Enabled) return;
        if (!ListenerAddress.TryParse(options.Address, out var address))
            failures.Add(GatewayErrors.AddressInvalid.With(options.Address, $"Gateway:{name}:Address").ToString());
        else if (!IPAddress.IsLoopback(address) && !options.AllowPlainOnAnyAddress)
            failures.Add(GatewayErrors.PlainNotLoopback.With(options.Address, $"Gateway:{name}").ToString());
        Loops(name, options.EventLoops, failures);
    }

    private static void Tls(string name, TlsListenerOptions options, List<string> failures)
    {
        if (!options.IsEnabled) return;
        if (!ListenerAddress.TryParse(options.Address, out _))
            failures.Add(GatewayErrors.AddressInvalid.With(options.Address, $"Gateway:{name}:Address").ToString());
        if (options.CertificateFile.Length == 0 || options.KeyFile.Length == 0)
        {
            failures.Add(GatewayErrors.CertificateUnusable
                .With(options.CertificateFile, $"Gateway:{name} needs a CertificateFile and a KeyFile.").ToString());
        }

        Positive($"{name}:{nameof(options.HandshakeTimeout)}", options.HandshakeTimeout, failures);
        Between($"{name}:{nameof(options.UnsentBytesMax)}", options.UnsentBytesMax, TlsSession.UnsentBytesLeast,
            ByteSize.FromMiB(16), failures);
        Loops(name, options.EventLoops, failures);
    }

    private static void Loops(string name, int count, List<string> failures)
    {
        if (count > 0 && !OperatingSystem.IsLinux())
            failures.Add($"Gateway:{name}:EventLoops is {count}; choose 0, for only Linux has them.");
    }

    private static void Sessions(SessionOptions options, List<string> failures)
    {
        if (options.ExpiryMax < TimeSpan.Zero || options.ExpiryMax.TotalSeconds >= uint.MaxValue)
            failures.Add($"Gateway:Sessions:ExpiryMax is {options.ExpiryMax}; choose from 0 to 49710 days.");
        Positive("Sessions:" + nameof(options.SweepInterval), options.SweepInterval, failures);
        Positive("Sessions:" + nameof(options.ScanIdle), options.ScanIdle, failures);
        Between("Sessions:" + nameof(options.QueueBytesMax), options.QueueBytesMax, ByteSize.FromKiB(1),
            ByteSize.FromMiB(4096), failures);
        Between("Sessions:" + nameof(options.MemoryBytesMax), options.MemoryBytesMax, ByteSize.FromKiB(1),
            ByteSize.FromMiB(1 << 20), failures);
    }

    private static void Positive(string key, TimeSpan value, List<string> failures)
    {
        if (value <= TimeSpan.Zero) failures.Add($"Gateway:{key} is {value}; make it more than 0.");
    }

    private static void Between(string key, ByteSize value, ByteSize least, ByteSize most, List<string> failures)
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
            failures.Add($"Gateway:{key} is {value}; choose from {least} to {most}.");
    }
}
