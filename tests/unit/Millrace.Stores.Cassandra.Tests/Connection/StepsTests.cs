using CsCheck;
using Millrace.Stores.Cassandra.Connection;

namespace Millrace.Stores.Cassandra.Tests.Connection;

public class StepsTests
{
    [Test]
    public void Steps_have_all_items_in_their_order_and_none_more_than_it_may() =>
        Gen.Long[0, 6 << 20].List[0, 300].Sample(sizes =>
        {
            var steps = Steps.Of(sizes, size => size).ToList();
            Assert.That(steps.SelectMany(step => step), Is.EqualTo(sizes));
            Assert.That(steps, Has.All.Matches<List<long>>(
                step => step.Count is > 0 and <= 100 && (step.Count == 1 || step.Sum() <= 4 << 20)));
        });
}
