using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Hosting.Http;

namespace Millrace.Registry.Tests.Rest;

public class DeviceMessageEndpointsTests
{
    private RegistryFixture _registry = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _registry = await RegistryFixture.StartAsync(options => options.MessageBytesMax = new(100));
        await _registry.SendAsync(HttpMethod.Post, "", new { deviceId = "pump-1" });
    }

    [TearDown]
    public async Task StopAsync() => await _registry.DisposeAsync();

    [Test]
    public async Task A_message_is_in_the_log_with_all_that_belongs_to_it()
    {
        var (status, sent, _) = await _registry.SendAsync(HttpMethod.Post, "/pump-1/messages", new
        {
            body = "go",
            topic = "methods/speed",
            qos = 2,
            contentType = "text/plain",
            messageId = "m",
            correlationId = "c",
            properties = new { unit = "rpm" },
            expiresInSeconds = 60,
        });

        Assert.That(status, Is.EqualTo(202));
        Assert.That((string)sent!["topic"]!, Is.EqualTo("devices/pump-1/methods/speed"));
        var (key, body, headers) = (await MessagesAsync()).Single();
        Assert.That((key, body), Is.EqualTo(("pump-1", "go")));
        Assert.That(long.Parse(headers["expires-at"]),
            Is.EqualTo(DateTimeOffset.Parse((string)sent["expiresAt"]!).ToUnixTimeMilliseconds()));
        headers.Remove("expires-at");
        Assert.That(headers, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["mqtt-topic"] = "devices/pump-1/methods/speed",
            ["qos"] = "2",
            ["content-type"] = "text/plain",
            ["message-id"] = "m",
            ["correlation-id"] = "c",
            ["app.unit"] = "rpm",
        }));
    }

    [Test]
    public async Task A_message_that_says_nothing_more_is_devicebound_with_qos_1_and_an_id()
    {
        var (_, sent, _) = await _registry.SendAsync(
            HttpMethod.Post, "/pump-1/messages", new { bodyBase64 = Convert.ToBase64String("go"u8) });

        var (_, body, headers) = (await MessagesAsync()).Single();
        Assert.That(body, Is.EqualTo("go"));
        Assert.That(headers["mqtt-topic"], Is.EqualTo("devices/pump-1/messages/devicebound"));
        Assert.That(headers["qos"], Is.EqualTo("1"));
        Assert.That(headers["message-id"], Is.EqualTo((string)sent!["messageId"]!));
    }

    [TestCase("{\"qos\": 3}")]
    [TestCase("{\"topic\": \"a/#\"}")]
    [TestCase("{\"topic\": \"\"}")]
    [TestCase("{\"body\": \"a\", \"bodyBase64\": \"YQ==\"}")]
    [TestCase("{\"bodyBase64\": \"?\"}")]
    [TestCase("{\"expiresInSeconds\": 0}")]
    [TestCase("{\"properties\": {\"\": \"a\"}}")]
    [TestCase("{\"properties\": {\"a\": null}}")]
    [TestCase("{\"contentType\": \"a\\u0000\"}")]
    public async Task What_no_message_can_be_is_refused(string request)
    {
        var (status, problem, _) = await _registry.SendAsync(HttpMethod.Post, "/pump-1/messages", request);

        Assert.That(status, Is.EqualTo(400));
        Assert.That((string)problem!["code"]!, Is.EqualTo("RG-0007"));
        Assert.That(await MessagesAsync(), Is.Empty);
    }

    [Test]
    public async Task A_message_has_a_largest_size_a_device_and_a_sender_who_may()
    {
        var (large, _, _) = await _registry.SendAsync(
            HttpMethod.Post, "/pump-1/messages", new { body = new string('x', 101) });
        var (unknown, _, _) = await _registry.SendAsync(HttpMethod.Post, "/pump-2/messages", new { body = "x" });
        using var reader = _registry.Client(ApiScopes.Read);
        using var content = new StringContent("{}", Encoding.UTF8, "application/json");
        using var refused = await reader.PostAsync("api/v1/devices/pump-1/messages", content);

        Assert.That((large, unknown, (int)refused.StatusCode), Is.EqualTo((400, 404, 403)));
        Assert.That(await MessagesAsync(), Is.Empty);
    }

    private async Task<List<(string Key, string Body, Dictionary<string, string> Headers)>> MessagesAsync()
    {
        var log = _registry.Get<IEventLog>();
        var found = new List<(string, string, Dictionary<string, string>)>();
        for (var p = 0; p < log.FindTopic(Topics.DeviceMessages)!.Partitions; p++)
        {
            await using var reader = log.OpenReader(new TopicPartition(Topics.DeviceMessages, p), 0);
            while (await reader.TryReadAsync() is { } batch)
            {
                foreach (var record in batch) found.Add(Read(record));
            }
        }

        return found;
    }

    private static (string, string, Dictionary<string, string>) Read(RecordView record)
    {
        var headers = new Dictionary<string, string>();
        foreach (var header in record.Headers)
            headers[Encoding.UTF8.GetString(header.Name)] = Encoding.UTF8.GetString(header.Value);
        return (Encoding.UTF8.GetString(record.Key), Encoding.UTF8.GetString(record.Value), headers);
    }
}
