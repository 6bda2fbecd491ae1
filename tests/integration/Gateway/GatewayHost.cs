using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Local;
using Millrace.Gateway;
using Millrace.Gateway.Limits;
using Millrace.Gateway.Listeners;
using Millrace.Gateway.Mqtt;
using Millrace.Gateway.Publishing;
using Millrace.Hosting;
using Millrace.Hosting.Node;
using Millrace.Hosting.Options;
using Millrace.Mqtt;
using Millrace.Mqtt.Packets;
using Millrace.Stores.Bridges;
using Millrace.Stores.DeadLetters;
using Millrace.Stores.Identities;
using Millrace.Stores.Sessions;
using Millrace.Stores.Sqlite;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>The gateway alone, on real sockets, with the local log and SQLite.</summary>
internal sealed class GatewayHost : IAsyncDisposable
{
    public const string Key = "cHJpbWFyeS1rZXktb2YtdGhlLWRldmljZS0zMi1ieXRlcw==";
    public const string SecondKey = "c2Vjb25kYXJ5LWtleS1vZi10aGUtZGV2aWNlLTMyLWJ5dGU=";

    private readonly TemporaryFolder? _folder;
    private readonly WebApplication _app;

    private GatewayHost(
        string? folder, Certificates? certificates, (string Key, string Value)[] settings, LocalLog? log = null,
        Action<IServiceCollection>? change = null)
    {
        if (folder is null) _folder = new TemporaryFolder();
        folder ??= _folder!.Path;
        if (IsRawTls) certificates ??= new Certificates(folder);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Gateway:Mqtt:Port"] = "0",
            ["Gateway:Mqtt:EventLoops"] = $"{EventLoops}",
            ["Gateway:Mqtts:Port"] = "0",
            ["Gateway:Mqtts:EventLoops"] = $"{EventLoops}",
            ["Gateway:WebSocket:Port"] = "0",
            ["Gateway:WebSocketTls:Port"] = "0",
            ["Gateway:Mqtts:CertificateFile"] = certificates?.ServerCertificateFile ?? "",
            ["Gateway:Mqtts:KeyFile"] = certificates?.ServerKeyFile ?? "",
            ["EventLog:FreeBytesMin"] = "0",
        });
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(s => s.Key, s => (string?)s.Value));
        builder.Services.AddSingleton(new DataFolder(folder));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddValidatedOptions<NodeOptions>("Node");
        builder.Services.AddLocalEventLog();
        if (log is not null) builder.Services.AddSingleton(log);
        builder.Services.AddSingleton<GatedLog>();
        builder.Services.AddSingleton<IEventLog>(services => services.GetRequiredService<GatedLog>());
        builder.Services.AddSqliteStores();
        builder.Services.AddMillraceGateway();
        builder.Services.AddSingleton<Meters>();
        change?.Invoke(builder.Services);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenMillraceGateway());
        _app = builder.Build();
        Meters = _app.Services.GetRequiredService<Meters>();
    }

    /// <summary>Of the hosts that are started next; 0 is Kestrel's transport.</summary>
    public static int EventLoops { get; set; }

    /// <summary>Whether raw clients come over TLS.</summary>
    public static bool IsRawTls { get; set; }

    public GatedLog Log => _app.Services.GetRequiredService<GatedLog>();

    public IIdentityStore Identities => _app.Services.GetRequiredService<IIdentityStore>();

    public IBridgeStore Bridges => _app.Services.GetRequiredService<IBridgeStore>();

    public IDeadLetterStore DeadLetters => _app.Services.GetRequiredService<IDeadLetterStore>();

    public TelemetryPublisher Publisher => _app.Services.GetRequiredService<TelemetryPublisher>();

    public MqttConnectionHandler Handler => _app.Services.GetRequiredService<MqttConnectionHandler>();

    public ConnectionTable Connections => _app.Services.GetRequiredService<ConnectionTable>();

    public GatewayLimits Limits => _app.Services.GetRequiredService<GatewayLimits>();

    public Meters Meters { get; }

    public int Port => _app.Services.GetRequiredService<GatewayEndpoints>().Mqtt!.Port;

    public int TlsPort => _app.Services.GetRequiredService<GatewayEndpoints>().Mqtts!.Port;

    public bool IsTlsOnLoops => _app.Services.GetRequiredService<GatewayEndpoints>().TlsOnLoops is not null;

    public int WebSocketPort => _app.Services.GetRequiredService<GatewayEndpoints>().WebSocket!.Port;

    public int WebSocketTlsPort => _app.Services.GetRequiredService<GatewayEndpoints>().WebSocketTls!.Port;

    /// <summary>CONNECT of the first device by its key, for those who write to a transport of their own.</summary>
    public static ConnectPacket ConnectOf(MqttVersion version) => new()
    {
        Version = version,
        CleanStart = true,
        ClientId = "pump-1"u8,
        HasUserName = true,
        UserName = "pump-1"u8,
        HasPassword = true,
        Password = Encoding.UTF8.GetBytes(Key),
    };

    public static Task<GatewayHost> StartAsync(params (string Key, string Value)[] settings) =>
        StartAsync(null, settings);

    public static async Task<GatewayHost> StartAsync(
        Certificates? certificates, params (string Key, string Value)[] settings)
    {
        var host = new GatewayHost(null, certificates, settings);
        await host._app.StartAsync();
        return host;
    }

    public static async Task<GatewayHost> StartChangedAsync(
        Action<IServiceCollection> change, params (string Key, string Value)[] settings)
    {
        var host = new GatewayHost(null, null, settings, change: change);
        await host._app.StartAsync();
        return host;
    }

    /// <summary>On a folder of the test's, where one may stop and another one go on.</summary>
    public static async Task<GatewayHost> StartInAsync(string folder, params (string Key, string Value)[] settings)
    {
        var host = new GatewayHost(folder, null, settings);
        await host._app.StartAsync();
        return host;
    }

    /// <summary>A second gateway of the same hub: on the stores and the log of the first.</summary>
    public static async Task<GatewayHost> StartBesideAsync(
        GatewayHost first, string folder, params (string Key, string Value)[] settings)
    {
        var host = new GatewayHost(folder, null, settings, first._app.Services.GetRequiredService<LocalLog>());
        await host._app.StartAsync();
        return host;
    }

    public ISessionStore Sessions => _app.Services.GetRequiredService<ISessionStore>();

    public async Task DeleteDeviceAsync(string id)
    {
        var stored = await Identities.FindRevisionAsync(id);
        Assert.That(await Identities.DeleteAsync(id, stored!, DateTimeOffset.UnixEpoch), Is.True);
    }

    public async Task<DeviceIdentity> AddDeviceAsync(
        string id, Func<DeviceIdentity, DeviceIdentity>? change = null)
    {
        var identity = new DeviceIdentity
        {
            DeviceId = id,
            GenerationId = $"generation-of-{id}",
            PrimaryKey = Key,
            SecondaryKey = SecondKey,
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        };
        identity = change?.Invoke(identity) ?? identity;
        Assert.That(await Identities.CreateAsync(identity));
        return identity;
    }

    /// <summary>Tells the gateway that a device changed, as the registry does, or something else.</summary>
    public Task NoticeAsync(string id, string kind = ControlKinds.Device) =>
        NoticeAsync(JsonSerializer.SerializeToUtf8Bytes(
            new ControlNotice(kind, id), ContractJson.Default.ControlNotice));

    public async Task NoticeAsync(byte[] body)
    {
        using var records = new RecordBatchBuilder();
        records.Begin(0, default);
        records.End(body);
        await Log.AppendAsync(new TopicPartition(Topics.Control, 0), records);
    }

    /// <summary>Sends a message to a device, as the API does.</summary>
    public async Task SendAsync(
        string deviceId, string body, string topic = "messages/devicebound", int qos = 1,
        DateTimeOffset? expiresAt = null)
    {
        using var records = new RecordBatchBuilder();
        var key = Encoding.UTF8.GetBytes(deviceId);
        records.Begin(0, key);
        records.AddHeader(DeviceMessageHeaders.MqttTopic, Encoding.UTF8.GetBytes($"devices/{deviceId}/{topic}"));
        records.AddHeader(DeviceMessageHeaders.Qos, Encoding.UTF8.GetBytes($"{qos}"));
        if (expiresAt is { } at)
        {
            records.AddHeader(DeviceMessageHeaders.ExpiresAt,
                Encoding.UTF8.GetBytes($"{at.ToUnixTimeMilliseconds()}"));
        }

        records.End(Encoding.UTF8.GetBytes(body));
        var partitions = Log.FindTopic(Topics.DeviceMessages)!.Partitions;
        var partition = Partitioner.PartitionOf(key, partitions);
        await Log.AppendAsync(new TopicPartition(Topics.DeviceMessages, partition), records);
    }

    /// <summary>All telemetry, each partition in its order; or that of some devices.</summary>
    public Task<IReadOnlyList<Telemetry>> TelemetryAsync(string devicePrefix = "") =>
        RecordsAsync(Topics.Telemetry, devicePrefix);

    /// <summary>All records of a topic, each partition in its order; or those of some devices.</summary>
    public async Task<IReadOnlyList<Telemetry>> RecordsAsync(string topic, string devicePrefix = "")
    {
        var prefix = Encoding.UTF8.GetBytes(devicePrefix);
        var all = new List<Telemetry>();
        await foreach (var batch in ReadAsync(topic))
        {
            foreach (var record in batch)
            {
                if (record.Key.StartsWith(prefix)) all.Add(Telemetry.Of(batch.Partition.Partition, record));
            }
        }

        return all;
    }

    public async Task<IReadOnlyList<Telemetry>> TelemetryAsync(int count)
    {
        IReadOnlyList<Telemetry> all = [];
        await Eventually.TrueAsync(
            async () => (all = await TelemetryAsync()).Count >= count, $"{count} records of telemetry");
        Assert.That(all, Has.Count.EqualTo(count));
        return all;
    }

    public async Task<IReadOnlyList<LifecycleEvent>> LifecycleAsync(int count)
    {
        var all = new List<LifecycleEvent>();
        await Eventually.TrueAsync(async () =>
        {
            all.Clear();
            await foreach (var batch in ReadAsync(Topics.Lifecycle))
            {
                foreach (var record in batch)
                    all.Add(JsonSerializer.Deserialize(record.Value, ContractJson.Default.LifecycleEvent)!);
            }

            return all.Count >= count;
        }, $"{count} lifecycle events");
        return all;
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Log.Open();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _folder?.Dispose();
    }

    public async IAsyncEnumerable<RecordBatch> ReadAsync(string topic)
    {
        for (var p = 0; p < Log.FindTopic(topic)!.Partitions; p++)
        {
            var partition = new TopicPartition(topic, p);
            await using var reader = Log.OpenReader(partition, (await Log.RangeAsync(partition)).First);
            while (await reader.TryReadAsync() is { } batch) yield return batch;
        }
    }
}

/// <summary>A record of the telemetry topic as text.</summary>
internal sealed record Telemetry(
    string DeviceId, int Partition, long TimestampMs, string Body, IReadOnlyDictionary<string, string> Headers)
{
    public static Telemetry Of(int partition, RecordView record)
    {
        var headers = new Dictionary<string, string>();
        foreach (var header in record.Headers)
            headers[Encoding.UTF8.GetString(header.Name)] = Encoding.UTF8.GetString(header.Value);
        return new Telemetry(Encoding.UTF8.GetString(record.Key), partition, record.TimestampMs,
            Encoding.UTF8.GetString(record.Value), headers);
    }
}
