using Millrace.Gateway.Authentication;

namespace Millrace.Gateway.Tests.Authentication;

public class SasTokenTests
{
    // Made with: printf 'hub%%2Fdevices%%2Fpump-1\n1700000000' | openssl dgst -sha256 -hmac 'secret' -binary | base64
    private const string Key = "c2VjcmV0";
    private const string Token =
        "SharedAccessSignature sr=hub%2Fdevices%2Fpump-1&se=1700000000"
        + "&sig=g5ejI5ID3ohs4UxcCGx7p%2F%2Fy7zx0nvN052YiTNyuD3M%3D";

    [Test]
    public void A_token_that_another_program_signed_is_good()
    {
        var token = SasToken.Parse(Token)!;

        Assert.That(token.ExpirySeconds, Is.EqualTo(1_700_000_000));
        Assert.That(token.IsSignedWith(Key));
        Assert.That(token.IsSignedWith("b3RoZXI="), Is.False);
        Assert.That(token.IsFor(["hub"], "pump-1"));
    }

    [TestCase("hub", "pump-2")]
    [TestCase("other", "pump-1")]
    [TestCase("hub", "pump")]
    public void It_is_for_one_hub_and_one_device(string hub, string device) =>
        Assert.That(SasToken.Parse(Token)!.IsFor([hub], device), Is.False);

    [TestCase("")]
    [TestCase("not base64")]
    public void A_key_that_is_none_signs_nothing(string key) =>
        Assert.That(SasToken.Parse(Token)!.IsSignedWith(key), Is.False);

    [TestCase("SharedAccessSignature sig=QUJD&se=1")]
    [TestCase("SharedAccessSignature sr=a&sig=QUJD&se=1")]
    [TestCase("SharedAccessSignature sr=a&sig=%%%&se=1")]
    [TestCase("SharedAccessSignature sr=a&se=1")]
    [TestCase("SharedAccessSignature ")]
    [TestCase("sr=a&sig=QUJD&se=1")]
    public void What_is_no_token(string text) => Assert.That(SasToken.Parse(text), Is.Null);

    [TestCase("se=-1")]
    [TestCase("se=99999999999999999999")]
    [TestCase("se=soon")]
    [TestCase("se=1700000000&skn=owner")]
    public void What_is_no_expiry_or_names_a_policy(string end) =>
        Assert.That(SasToken.Parse(Token.Replace("se=1700000000", end)), Is.Null);
}
