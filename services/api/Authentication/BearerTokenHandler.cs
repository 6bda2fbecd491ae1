using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Http;
using Millrace.Stores.Users;

namespace Millrace.Api.Authentication;

/// <summary>Tokens of the token store, by their SHA-256; what a token is stands nowhere.</summary>
internal sealed class BearerTokenHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> schemeOptions, ILoggerFactory loggers, UrlEncoder encoder,
    ITokenStore tokens, TokenCache cache, TimeProvider time)
    : AuthenticationHandler<AuthenticationSchemeOptions>(schemeOptions, loggers, encoder)
{
    public const string SchemeName = "Bearer";
    public const string ScopeClaim = "scope";
    private const string Prefix = "Bearer ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)) return AuthenticateResult.NoResult();
        var sha256 = TokenHash.Of(header[Prefix.Length..].Trim());
        var token = cache.Find(sha256) ?? await tokens.FindBySha256Async(sha256, Context.RequestAborted);
        if (token is null || token.ExpiresAt <= time.GetUtcNow())
        {
            ApiMetrics.TokensRefused.Add(1);
            return AuthenticateResult.Fail("The token is not valid.");
        }

        cache.Keep(token);
        var claims = token.Scopes.Select(s => new Claim(ScopeClaim, s)).Append(new Claim(ClaimTypes.Name, token.Name));
        var identity = new ClaimsIdentity(claims, SchemeName);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = SchemeName;
        return Problems.Problem(ApiErrors.Unauthenticated.With(null), StatusCodes.Status401Unauthorized)
            .ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Problems.Problem(ApiErrors.Forbidden.With(null), StatusCodes.Status403Forbidden).ExecuteAsync(Context);
}

/// <summary>Tokens are random, so a plain SHA-256 hides them as well as a slow hash would.</summary>
internal static class TokenHash
{
    public static string Of(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
