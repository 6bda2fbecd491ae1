using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Api.Authentication;
using Millrace.Hosting.Http;
using Millrace.Stores.Users;

namespace Millrace.Api.Tokens;

/// <summary>Bearer tokens for the API itself.</summary>
internal static class TokenEndpoints
{
    private static readonly string[] Scopes = [ApiScopes.Read, ApiScopes.Operate, ApiScopes.Administer];

    public static void MapTokens(this RouteGroupBuilder api)
    {
        var tokens = api.MapGroup("/tokens").RequireAuthorization(ApiScopes.Administer).WithTags("Tokens");
        tokens.MapGet("/", ListAsync).WithName("ListTokens").WithSummary("Tokens, without their text")
            .Produces<TokenList>();
        tokens.MapPost("/", CreateAsync).WithName("CreateToken").WithSummary("A new token; its text is given once")
            .Produces<TokenMade>(StatusCodes.Status201Created);
        tokens.MapDelete("/{id}", DeleteAsync).WithName("DeleteToken").WithSummary("Make a token worthless")
            .Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<TokenList> ListAsync(ITokenStore store, CancellationToken ct) =>
        new([.. (await store.ListAsync(ct)).Select(TokenItem.Of)]);

    private static async Task<IResult> CreateAsync(
        TokenRequest request, TokenIssuer issuer, AuditTrail audit, TimeProvider time, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(request.Name))
            throw ApiErrors.BadRequest.With("name", "A token needs a name.").AsException();
        if (request.Scopes is not { Count: > 0 } || !request.Scopes.All(Scopes.Contains))
        {
            throw ApiErrors.BadRequest.With(request.Scopes?.FirstOrDefault(scope => !Scopes.Contains(scope)),
                "scopes must be any of read, operate, administer.").AsException();
        }

        if (request.ExpiresAt <= time.GetUtcNow())
            throw ApiErrors.BadRequest.With(request.ExpiresAt, "expiresAt must be in the future.").AsException();
        var (token, text) = await issuer.IssueAsync(request.Name, request.Scopes, request.ExpiresAt, ct);
        await audit.AddAsync("token.create", token.Id, $"{token.Name}: {string.Join(' ', token.Scopes)}", ct);
        return Results.Created($"/api/v1/tokens/{token.Id}", new TokenMade(TokenItem.Of(token), text));
    }

    private static async Task<IResult> DeleteAsync(
        string id, ITokenStore store, TokenCache cache, AuditTrail audit, CancellationToken ct)
    {
        if (!await store.DeleteAsync(id, ct)) throw ApiErrors.NotFound.With(id).AsException();
        cache.Forget();
        await audit.AddAsync("token.delete", id, null, ct);
        return Results.NoContent();
    }
}

internal sealed record TokenRequest(string Name, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt = null);

internal sealed record TokenMade(TokenItem Token, string Text);

internal sealed record TokenList(IReadOnlyList<TokenItem> Items, string? Continuation = null);

internal sealed record TokenItem(
    string Id, string Name, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt)
{
    public static TokenItem Of(ApiToken token) =>
        new(token.Id, token.Name, token.Scopes, token.CreatedAt, token.ExpiresAt);
}
