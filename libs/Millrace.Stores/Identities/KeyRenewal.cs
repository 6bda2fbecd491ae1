namespace Millrace.Stores.Identities;

/// <summary>What came of a page of devices whose keys were to be put under another key.</summary>
/// <param name="Renewed">Devices whose keys are under the present key only since now.</param>
/// <param name="Left">Devices whose keys are under neither, or that somebody changed meanwhile.</param>
/// <param name="Continuation">Null: that was the last page.</param>
public readonly record struct KeyRenewal(int Renewed, int Left, string? Continuation);
