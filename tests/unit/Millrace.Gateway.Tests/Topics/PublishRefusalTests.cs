using System.Text;
using Millrace.Gateway.Topics;
using Millrace.Mqtt;

namespace Millrace.Gateway.Tests.Topics;

public class PublishRefusalTests
{
    [Test]
    public void Each_has_a_code_that_an_acknowledgement_may_carry_and_words_of_its_own()
    {
        var refusals = Enum.GetValues<PublishRefusal>().Where(each => each != PublishRefusal.None).ToList();

        foreach (var each in refusals)
        {
            Assert.That(each.Code().IsFailure() && PacketType.PubRec.MayCarry(each.Code()), $"{each}");
            Assert.That(each.Text(), Is.Not.Empty, $"{each}");
            Assert.That(Ascii.IsValid(each.Text()), $"{each}");
        }

        Assert.That(refusals.Select(each => each.Text()), Is.Unique);
    }
}
