using Millrace.Stores.Audit;

namespace Millrace.Contract.Tests.Stores;

public abstract class AuditStoreContract : StoreContract<IAuditStore>
{
    [Test]
    public async Task Entries_are_paged_newest_first_though_more_come_meanwhile()
    {
        for (var i = 0; i < 20; i++) await Store.AddAsync(Entry(i));
        Reopen();

        var next = 20;
        var got = await AllAsync(3, async token =>
        {
            var page = await Store.ListAsync(3, token);
            await Store.AddAsync(Entry(next++));
            return page;
        });
        Assert.That(got, Is.EqualTo(Enumerable.Range(0, 20).Reverse().Select(Entry)));
    }

    [TestCase("nonsense")]
    [TestCase("")]
    [TestCase("YXVkaXQfeA")]
    public void A_token_that_is_none_is_told_by_its_code(string token) =>
        Assert.That(CodeOf(async () => await Store.ListAsync(3, token)), Is.EqualTo("ST-0002"));

    private static AuditEntry Entry(int i) => new(Noon, "me", "did", $"{i}", i % 2 == 0 ? null : "so");
}
