using Millrace.Stores.Users;

namespace Millrace.Contract.Tests.Stores;

public abstract class TokenStoreContract : StoreContract<ITokenStore>
{
    [Test]
    public async Task A_token_is_found_by_its_hash_until_it_is_deleted()
    {
        await Store.SaveAsync(new ApiToken("t", "ci", "HASH", ["read", "operate"], Noon, Noon.AddDays(1)));
        Reopen();

        var found = (await Store.FindBySha256Async("HASH"))!;
        Assert.That((found.Id, found.Name, found.CreatedAt, found.ExpiresAt),
            Is.EqualTo(("t", "ci", Noon, (DateTimeOffset?)Noon.AddDays(1))));
        Assert.That(found.Scopes, Is.EqualTo(new[] { "read", "operate" }));
        Assert.That(await Store.FindBySha256Async("hash"), Is.Null);
        Assert.That(await Store.DeleteAsync("t"), Is.True);
        Assert.That(await Store.DeleteAsync("t"), Is.False);
        Assert.That(await Store.FindBySha256Async("HASH"), Is.Null);
    }

    [Test]
    public async Task A_token_that_is_saved_again_has_its_new_hash_alone()
    {
        await Store.SaveAsync(new ApiToken("t", "ci", "OLD", ["read"], Noon, null));
        await Store.SaveAsync(new ApiToken("t", "ci", "NEW", [], Noon, null));
        await Store.SaveAsync(new ApiToken("s", "ci", "OTHER", ["administer"], Noon, null));

        Assert.That(await Store.FindBySha256Async("OLD"), Is.Null);
        Assert.That((await Store.FindBySha256Async("NEW"))!.Scopes, Is.Empty);
        Assert.That((await Store.ListAsync()).Select(t => (t.Id, t.ExpiresAt)),
            Is.EqualTo(new[] { ("s", (DateTimeOffset?)null), ("t", null) }));
    }
}
