using Millrace.Mqtt.Session;
using Millrace.Primitives;

namespace Millrace.Gateway.Authentication;

/// <summary>
/// Which device a CONNECT speaks for: the user name <c>{hub}/{deviceId}/...</c>, as Azure's devices write it, or the
/// device id alone; without a user name, the client id.
/// </summary>
internal static class DeviceName
{
    public static string Of(ConnectRequest request)
    {
        if (string.IsNullOrEmpty(request.UserName)) return request.ClientId;
        var parts = request.UserName.Split('/', 3);
        return parts.Length > 1 ? parts[1] : parts[0];
    }

    /// <summary>For logs: a name that is no device id could hold anything.</summary>
    public static string ForLog(string name) => DeviceId.IsValid(name) ? name : "(not a device id)";
}
