using System.Buffers.Text;
using System.Security.Cryptography;
using Millrace.Stores.Users;

namespace Millrace.Api.Authentication;

/// <summary>Makes tokens. The text of one is given once and never kept.</summary>
public sealed class TokenIssuer(ITokenStore tokens, TimeProvider time)
{
    private const string Prefix = "mr_";
    private const int RandomBytes = 32;
    private const int IdDigits = 16;

    public async Task<(ApiToken Token, string Text)> IssueAsync(
        string name, IReadOnlyList<string> scopes, DateTimeOffset? expiresAt, CancellationToken ct = default)
    {
        var text = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));
        var token = await KeepAsync(text, name, scopes, expiresAt, ct);
        return (token, text);
    }

    /// <summary>Keeps a token whose text the caller has, such as the one in a platform's own data folder.</summary>
    public async Task<ApiToken> KeepAsync(
        string text, string name, IReadOnlyList<string> scopes, DateTimeOffset? expiresAt,
            CancellationToken ct = default)
    {
        var hash = TokenHash.Of(text);
        if (await tokens.FindBySha256Async(hash, ct) is { } known) return known;

        // Processes that start together and have the same token keep one of it.
        var id = hash[..IdDigits].ToLowerInvariant();
        var token = new ApiToken(id, name, hash, scopes, time.GetUtcNow(), expiresAt);
        await tokens.SaveAsync(token, ct);
        return token;
    }
}
