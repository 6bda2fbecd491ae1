using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Millrace.Stores.Users;

namespace Millrace.Api.Authentication;

/// <summary>Tokens found valid a moment ago. Short, so that a deleted one is out within a second.</summary>
internal sealed class TokenCache(IOptions<ApiOptions> options, TimeProvider time)
{
    private const int TokensMax = 10_000;

    private readonly ConcurrentDictionary<string, (ApiToken Token, DateTimeOffset Until)> _tokens = new();

    public ApiToken? Find(string sha256) =>
        _tokens.TryGetValue(sha256, out var kept) && kept.Until > time.GetUtcNow() ? kept.Token : null;

    public void Keep(ApiToken token)
    {
        if (Find(token.Sha256) is not null) return;
        if (_tokens.Count >= TokensMax) _tokens.Clear();
        _tokens[token.Sha256] = (token, time.GetUtcNow().AddMilliseconds(options.Value.TokenCacheMs));
    }

    public void Forget() => _tokens.Clear();
}
