namespace Millrace.Mqtt.Session;

/// <summary>What CONNACK says of this session alone.</summary>
/// <param name="IsPresent">An earlier session goes on (§3.2.2.1.1).</param>
/// <param name="AssignedClientId">The client's name when it left that to the server.</param>
/// <param name="ResponseInformation">Where responses may be sent; said when the client asks for it.</param>
public readonly record struct SessionGrants(
    bool IsPresent = false, string? AssignedClientId = null, string? ResponseInformation = null);
