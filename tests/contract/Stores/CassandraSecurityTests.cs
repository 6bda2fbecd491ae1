using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.Cql;
using Millrace.Hosting;
using Millrace.Hosting.Health;
using Millrace.Stores;
using Millrace.Stores.Cassandra;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Identities;
using Millrace.Stores.Telemetry;
using Millrace.TestKit;
using Millrace.TestKit.Servers;

namespace Millrace.Contract.Tests.Stores;

/// <summary>TLS and logins by the options that a user sets, against a node that asks for both.</summary>
public sealed class CassandraSecurityTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();
    private SecureCassandra _node = null!;

    [OneTimeSetUp]
    public async Task StartNode()
    {
        var node = await SecureCassandra.StartAsync();
        if (node is null) Assert.Ignore("It edits a node's files: set MILLRACE_ENGINES to a command.");
        _node = node!;
        using var other = new TestAuthority();
        await File.WriteAllTextAsync(_folder.Sub("other-ca.pem"), other.Pem);
        await File.WriteAllTextAsync(_folder.Sub("nothing.pem"), "");
    }

    [OneTimeTearDown]
    public async Task EndNode()
    {
        if (_node is not null) await _node.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task A_process_that_shows_who_it_is_stores_and_reads_over_TLS()
    {
        await using var process = Open();
        var identity = new DeviceIdentity
        {
            DeviceId = "pump-1",
            GenerationId = "g",
            PrimaryKey = "cHJpbWFyeQ==",
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        };
        Assert.That(await process.Get<IIdentityStore>().CreateAsync(identity).AsTask().WaitAsync(Patience));
        Assert.That(await process.Get<IIdentityStore>().FindAsync("pump-1"), Is.EqualTo(identity));
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var row = new TelemetryMessage
        {
            DeviceId = "pump-1",
            Partition = 0,
            Offset = 7,
            EnqueuedAtMs = now,
            EventAtMs = now,
            Properties = new Dictionary<string, string>(),
            Body = [1, 2],
        };
        await process.Get<ITelemetryStore>().WriteAsync(new TopicPartition("telemetry", 0), [row], new SinkPosition(8));
        Assert.That((await process.Get<ITelemetryStore>().LatestAsync("pump-1"))!.Body, Is.EqualTo(row.Body));
        Assert.That(process.Trouble, Is.Null);
    }

    [Test]
    public async Task A_wrong_password_is_told_by_its_code_and_the_right_one_in_the_file_is_enough()
    {
        var file = _folder.Sub("password");
        await File.WriteAllTextAsync(file, "guess");
        await using var process = Open(("PasswordFile", file));
        await process.SaysAsync("ST-0010", "CQ-0100");
        Assert.That(process.Trouble, Does.StartWith("ST-0010").And.Not.Contain(SecureCassandra.UserName));

        await File.WriteAllTextAsync(file, SecureCassandra.Password);
        Assert.That(await process.Get<IIdentityStore>().FindAsync("none").AsTask().WaitAsync(Patience), Is.Null);
    }

    [TestCase("UserName", null, "CQ-0100", "asks for a login")]
    [TestCase("CaFile", "other-ca.pem", "CQ-9002", "certificate")]
    [TestCase("CaFile", "nothing.pem", "has no certificate", "nothing.pem")]
    [TestCase("CaFile", null, "CQ-9002", "certificate")]
    [TestCase("ServerName", "elsewhere.test", "CQ-9002", "NameMismatch")]
    public async Task What_keeps_a_process_out_is_told_by_its_code(
        string option, string? value, string code, string detail)
    {
        var file = option == "CaFile" && value is not null ? _folder.Sub(value) : value;
        (string, string?)[] change = option == "UserName"
            ? [("UserName", null), ("PasswordFile", null)]
            : [(option, file)];
        await using var process = Open(change);
        await process.SaysAsync("ST-0010", code, detail);
        Assert.That(process.Trouble, Does.StartWith("ST-0010"));
        Assert.That(process.Get<IIdentityStore>().FindAsync("none").AsTask().IsCompleted, Is.False, "it waits");
    }

    [Test]
    public async Task A_process_without_a_certificate_of_its_own_is_told_that_it_lacks_one()
    {
        await using var process = Open(("CertificateFile", null), ("KeyFile", null));
        await process.SaysAsync("ST-0010", "CQ-9002", "client certificate");
        Assert.That(process.Trouble, Does.StartWith("ST-0010"));
        Assert.That(process.Get<IIdentityStore>().FindAsync("none").AsTask().IsCompleted, Is.False, "it waits");
    }

    [Test]
    public async Task The_client_alone_gets_in_with_both_and_tells_which_of_them_is_wrong()
    {
        var options = new CqlOptions
        {
            ContactPoints = [_node.ContactPoints],
            Port = _node.Port,
            Tls = CassandraTls.Of(new CassandraSecurityOptions
            {
                Tls = true,
                CaFile = _node.CaFile,
                ServerName = SecureCassandra.ServerName,
                CertificateFile = _node.CertificateFile,
                KeyFile = _node.KeyFile,
            }),
            Username = SecureCassandra.UserName,
            Password = SecureCassandra.Password,
        };
        await using (var session = await CqlSession.ConnectAsync(options))
        {
            var row = (await session.ExecuteAsync("SELECT cluster_name FROM system.local"))[0];
            Assert.That(row.Get<string>(0), Is.EqualTo("engines"));
        }

        options.Password = "guess";
        var refused = Assert.ThrowsAsync<CqlServerException>(() => CqlSession.ConnectAsync(options));
        Assert.That(refused!.ServerCode, Is.EqualTo(ServerErrorCode.BadCredentials));
        options.Tls = null;
        Assert.ThrowsAsync<CqlException>(() => CqlSession.ConnectAsync(options));
    }

    /// <summary>The stores of a process whose options are right, but for what is changed of the security.</summary>
    private SecureProcess Open(params (string Option, string? Value)[] changes)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Stores:Kind"] = "Cassandra",
            ["Stores:DeviceKeyFile"] = _folder.Sub("device-keys.key"),
            ["Cassandra:ContactPoints"] = _node.ContactPoints,
            ["Cassandra:Port"] = $"{_node.Port}",
            ["Cassandra:Keyspace"] = "secure_tests",
            ["Cassandra:ReplicationFactor"] = "1",
            ["Cassandra:RequestTimeout"] = "60s",
            ["Cassandra:Security:Tls"] = "true",
            ["Cassandra:Security:CaFile"] = _node.CaFile,
            ["Cassandra:Security:ServerName"] = SecureCassandra.ServerName,
            ["Cassandra:Security:CertificateFile"] = _node.CertificateFile,
            ["Cassandra:Security:KeyFile"] = _node.KeyFile,
            ["Cassandra:Security:UserName"] = SecureCassandra.UserName,
            ["Cassandra:Security:PasswordFile"] = _node.PasswordFile,
        };
        foreach (var (option, value) in changes)
        {
            if (value is null) settings.Remove($"Cassandra:Security:{option}");
            else settings[$"Cassandra:Security:{option}"] = value;
        }

        return new SecureProcess(settings, _folder.Path);
    }

    /// <summary>Stores by a configuration, and what they log.</summary>
    private sealed class SecureProcess : IAsyncDisposable
    {
        private readonly LogLines _lines = new();
        private readonly ServiceProvider _services;

        public SecureProcess(Dictionary<string, string?> settings, string folder)
        {
            var services = new ServiceCollection();
            services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
            services.AddLogging(logging => logging.AddProvider(_lines));
            services.AddSingleton(TimeProvider.System);
            services.AddSingleton(new DataFolder(folder));
            services.AddCassandraOptions();
            services.AddCassandraStores();
            _services = services.BuildServiceProvider();
        }

        /// <summary>What /readyz would say of the stores.</summary>
        public string? Trouble => Stores.Trouble;

        private IAwaitedServer Stores => _services.GetServices<IAwaitedServer>().Single(one => one.Name == "stores");

        public T Get<T>()
            where T : notnull => _services.GetRequiredService<T>();

        public async Task SaysAsync(params string[] parts)
        {
            Assert.That(Stores.AnswersAsync(default).IsCompleted, Is.False);
            await Eventually.TrueAsync(
                () => _lines.All.Any(line => parts.All(part => line.Contains(part, StringComparison.Ordinal))),
                () => $"it says {string.Join(", ", parts)}; it said:\n{string.Join('\n', _lines.All)}");
        }

        public async ValueTask DisposeAsync() => await _services.DisposeAsync();
    }
}
