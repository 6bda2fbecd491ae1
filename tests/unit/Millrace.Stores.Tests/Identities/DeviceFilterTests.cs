using Millrace.Stores.Identities;

namespace Millrace.Stores.Tests.Identities;

public class DeviceFilterTests
{
    private const string Tags = """
        {"site":"north","floor":3,"price":2.50,"iccid":8944500102198304826,"huge":1e300,
         "active":true,"spare":false,"none":null,"note":"a=b",
         "labels":["hot","wet",7],"at":{"city":"Århus","geo":{"lat":56.1}},"at.city":"dotted",
         "a.b":{"c":"d"},"x":{"y.z":"w"}}
        """;

    [TestCase("site=north", true)]
    [TestCase("site=North", false)]
    [TestCase("site=", false)]
    [TestCase("floor=3", true)]
    [TestCase("floor=3.0", true)]
    [TestCase("floor=three", false)]
    [TestCase("price=2.5", true)]
    [TestCase("active=true", true)]
    [TestCase("active=false", false)]
    [TestCase("spare=false", true)]
    [TestCase("none=null", false)]
    [TestCase("note=a=b", true)]
    [TestCase("labels=wet", true)]
    [TestCase("labels=7", true)]
    [TestCase("labels=dry", false)]
    [TestCase("at.geo.lat=56.1", true)]
    [TestCase("at.city=dotted", true)]
    [TestCase("at.city=Århus", true)]
    [TestCase("iccid=8944500102198304826", true)]
    [TestCase("iccid=8944500102198304827", false)]
    [TestCase("huge=1e300", true)]
    [TestCase("huge=2e300", false)]
    [TestCase("a.b.c=d", true)]
    [TestCase("x.y.z=w", true)]
    [TestCase("at=north", false)]
    [TestCase("missing.city=north", false)]
    public void A_tag_is_compared_with_its_value(string tag, bool matches)
    {
        var device = new DeviceIdentity
        {
            DeviceId = "pump-7",
            GenerationId = "g",
            TagsJson = Tags,
            CreatedAt = default,
            UpdatedAt = default,
        };
        Assert.That(new DeviceFilter { Tags = [TagFilter.Read(tag)!] }.Matches(device), Is.EqualTo(matches));
    }

    [TestCase("site")]
    [TestCase("=north")]
    [TestCase("")]
    public void Without_a_name_or_a_sign_it_is_none(string tag) => Assert.That(TagFilter.Read(tag), Is.Null);
}
