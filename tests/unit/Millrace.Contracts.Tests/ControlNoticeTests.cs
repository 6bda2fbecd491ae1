using System.Text.Json;

namespace Millrace.Contracts.Tests;

public sealed class ControlNoticeTests
{
    [TestCase("""{"kind":"device","id":null}""")]
    [TestCase("""{"kind":"device"}""")]
    [TestCase("""{"kind":null,"id":"pump-1"}""")]
    [TestCase("""{"id":"pump-1"}""")]
    public void One_that_says_too_little_cannot_be_read(string json) =>
        Assert.That(() => JsonSerializer.Deserialize(json, ContractJson.Default.ControlNotice),
            Throws.InstanceOf<JsonException>());

    [Test]
    public void One_of_a_kind_that_is_not_known_can_be_read() => Assert.That(
        JsonSerializer.Deserialize("""{"kind":"of-later","id":"x","more":1}""", ContractJson.Default.ControlNotice),
        Is.EqualTo(new ControlNotice("of-later", "x")));
}
