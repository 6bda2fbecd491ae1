using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Gateway.Listeners;
using Millrace.Hosting;
using Millrace.Hosting.Roles;
using Millrace.Platform;
using Millrace.Registry.Identities;

namespace Millrace.Benchmarks.Mqtt;

/// <summary>
/// The platform with the roles gateway and registry alone, in a process of its own, with the local log and the stores
/// on the disk: every acknowledgement comes after the record's fdatasync.
/// </summary>
internal sealed class GatewayServer : ServerProcess
{
    public const int Devices = 9_000;
    public const string Verb = "mqtt-server";

    private readonly string _folder;

    public GatewayServer(string name, BenchCertificate certificate, params string[] settings) : base(name)
    {
        _folder = Directory.CreateTempSubdirectory("millrace-bench-").FullName;
        var command = Path.Combine(AppContext.BaseDirectory, "Millrace.Benchmarks");
        Start(new ProcessStartInfo(command,
        [
            Verb, _folder, $"Gateway:Mqtts:CertificateFile={certificate.CertificateFile}",
            $"Gateway:Mqtts:KeyFile={certificate.KeyFile}", .. settings,
        ])
        { RedirectStandardInput = true, RedirectStandardOutput = true });
        var ports = ReadLine().Split(' ');
        Port = int.Parse(ports[0], CultureInfo.InvariantCulture);
        TlsPort = int.Parse(ports[1], CultureInfo.InvariantCulture);
    }

    public override double Collect()
    {
        Process.StandardInput.WriteLine("collect");
        return double.Parse(ReadLine(), CultureInfo.InvariantCulture);
    }

    public override void Dispose()
    {
        base.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>What the process does: starts, says its ports, and ends with its input.</summary>
    public static async Task ServeAsync(string folder, IEnumerable<string> settings)
    {
        var pairs = settings.Select(text => text.Split('=', 2))
            .Select(pair => new KeyValuePair<string, string?>(pair[0], pair[1]));
        var app = PlatformBuilder.Build(new DataFolder(folder), [MillraceRole.Gateway, MillraceRole.Registry],
            [new("Gateway:Mqtt:Port", "0"), new("Gateway:Mqtts:Port", "0"), new("Http:Port", "0"),
                new("Logging:Level", "Fatal"), .. pairs], null);
        await PlatformRunner.StartAsync(app, CancellationToken.None);
        var registry = app.Services.GetRequiredService<DeviceRegistry>();
        foreach (var numbers in Enumerable.Range(0, Devices).Chunk(500))
        {
            await registry.CreateManyAsync(
                [.. numbers.Select(n => new NewDevice(LoadGenerator.Device(n), LoadPackets.Key))], "bench");
        }

        var endpoints = app.Services.GetRequiredService<GatewayEndpoints>();
        Console.WriteLine($"{endpoints.Mqtt!.Port} {endpoints.Mqtts!.Port}");
        while (await Console.In.ReadLineAsync() is not null) Console.WriteLine(CollectHere());
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private static long CollectHere()
    {
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private string ReadLine() =>
        Process.StandardOutput.ReadLine() ?? throw new IOException("The gateway's process ended.");
}
