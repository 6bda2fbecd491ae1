using System.Net.Http.Headers;
using System.Net.Http.Json;
using Millrace.ColdPath.Models;
using Millrace.Stores.Audit;
using Millrace.TestKit;

namespace Millrace.ColdPath.Tests;

/// <summary>The registry over HTTP.</summary>
public sealed class ModelEndpointTests
{
    private const string Models = "/api/v1/models";
    private const string Register = $"{Models}/sum/versions?features=a,b";

    private ColdPathHost _host = null!;

    [SetUp]
    public async Task Start() => _host = await ColdPathHost.StartAsync(new()
    {
        ["ColdPath:Scheduler"] = "false",
        ["ColdPath:ModelBytesMax"] = "1KiB",
    });

    [TearDown]
    public async Task Stop() => await _host.DisposeAsync();

    [Test]
    public async Task An_onnx_model_is_registered_shown_promoted_and_rolled_back()
    {
        var first = await PostAsync($"{Register}&metric=error:0.5", TinyOnnx.WeightedSum(1, 1));
        var second = await PostAsync($"{Register}&metric=error:0.25", TinyOnnx.WeightedSum(2, 1));
        Assert.That((first.Status, second.Status), Is.EqualTo((200, 200)), $"{first.Body}{second.Body}");
        Assert.That((await ShowAsync()).Promoted, Is.Null);
        await _host.PostAsync($"{Models}/sum/promote", new { version = 1 });
        await _host.PostAsync($"{Models}/sum/promote", new { version = 2 });
        Assert.That((await ShowAsync()).Promoted, Is.EqualTo(2));
        await _host.PostAsync($"{Models}/sum/rollback", new { });

        var shown = await ShowAsync();
        Assert.That((shown.Promoted, shown.Call, shown.Versions.Count, shown.Promotions[^1].IsRollback),
            Is.EqualTo((1, "ML_SCORE('sum', a, b)", 2, true)));
        var list = await _host.Client.GetFromJsonAsync<ModelList>(Models);
        Assert.That(list!.Items.Select(one => (one.Name, one.Promoted)), Is.EqualTo(new[] { ("sum", (int?)1) }));
        var compared = await _host.Client.GetFromJsonAsync<ModelComparison>($"{Models}/sum/compare?left=1&right=2");
        Assert.That(compared!.Items, Is.EqualTo(new[] { new ModelMetric("error", 0.5, 0.25) }));
        var audited = (await _host.Get<IAuditStore>().ListAsync(10, null)).Items;
        Assert.That(audited.Select(one => $"{one.Action} {one.Subject} {one.Detail}"), Is.EqualTo(new[]
        {
            "model.rollback sum version 1", "model.promote sum version 2", "model.promote sum version 1",
            "model.register sum version 2", "model.register sum version 1",
        }));
    }

    [TestCase($"{Models}/sum/versions", 2, "MO-0010")]
    [TestCase($"{Models}/sum/versions?features=a,a", 2, "MO-0010")]
    [TestCase($"{Register}&kind=best", 2, "MO-0010")]
    [TestCase($"{Register}&metric=error", 2, "MO-0010")]
    [TestCase($"{Models}/Sum/versions?features=a,b", 2, "MO-0001")]
    [TestCase($"{Register}&output=z", 2, "MO-0007")]
    [TestCase(Register, 3, "MO-0007")]
    [TestCase(Register, 300, "MO-0009")]
    public async Task What_cannot_be_registered_is_told(string path, int weights, string code)
    {
        var (status, body) = await PostAsync(path, TinyOnnx.WeightedSum(new float[weights]));
        Assert.That((status, body.Contains(code)), Is.EqualTo((400, true)), body);
    }

    [TestCase("none/promote", 404, "MO-0002")]
    [TestCase("none/rollback", 409, "MO-0005")]
    public async Task What_is_not_there_is_told(string path, int status, string code)
    {
        var (found, body) = await _host.PostAsync($"{Models}/{path}", new { version = 1 });
        Assert.That((found, body.Contains(code)), Is.EqualTo((status, true)), body);
    }

    [Test]
    public async Task Changing_needs_the_right_to_operate()
    {
        _host.As("read");
        Assert.That((await PostAsync(Register, TinyOnnx.WeightedSum(1, 1))).Status, Is.EqualTo(403));
        Assert.That((await _host.PostAsync($"{Models}/sum/promote", new { version = 1 })).Status, Is.EqualTo(403));
        Assert.That((await _host.Client.GetFromJsonAsync<ModelList>(Models))!.Items, Is.Empty);
    }

    private async Task<ModelInfo> ShowAsync() => (await _host.Client.GetFromJsonAsync<ModelInfo>($"{Models}/sum"))!;

    private async Task<(int Status, string Body)> PostAsync(string path, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var response = await _host.Client.PostAsync(path, content);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
