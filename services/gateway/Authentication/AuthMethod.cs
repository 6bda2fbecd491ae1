namespace Millrace.Gateway.Authentication;

/// <summary>How a device proved who it is.</summary>
internal enum AuthMethod : byte
{
    Key,
    SasToken,
    Certificate,

    /// <summary>Not at all: Gateway:TopicSpaces:AllowAnonymous.</summary>
    Anonymous,
}

internal static class AuthMethods
{
    /// <summary>Stands before the id of a trusted device that published for another.</summary>
    public const string Trusted = "trusted";

    private static readonly byte[] Key = "key"u8.ToArray();
    private static readonly byte[] SasToken = "sas"u8.ToArray();
    private static readonly byte[] Certificate = "x509"u8.ToArray();
    private static readonly byte[] Anonymous = "anonymous"u8.ToArray();

    /// <summary>The value of the header auth-method.</summary>
    public static byte[] Header(AuthMethod method) => method switch
    {
        AuthMethod.Key => Key,
        AuthMethod.SasToken => SasToken,
        AuthMethod.Anonymous => Anonymous,
        _ => Certificate,
    };
}
