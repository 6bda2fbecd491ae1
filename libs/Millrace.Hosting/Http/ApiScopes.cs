namespace Millrace.Hosting.Http;

/// <summary>
/// What a bearer token allows; also the names of the authorization policies that endpoints ask for. A wider scope
/// includes the narrower ones.
/// </summary>
public static class ApiScopes
{
    public const string Read = "read";
    public const string Operate = "operate";
    public const string Administer = "administer";
}
