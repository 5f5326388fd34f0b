"""How OCDS releases of one process are merged: the lists that a later release replaces as a whole.

All other lists are merged item by item, by id. Worked out with ``ocdsmerge.rules.get_merge_rules`` (20 November
2026) from the release schema of the OCDS profile for the European Union, on OCDS 1.1, patched with the Cabinet
Office's UK extension; fields that no fact is read from are left out. It is kept here because ocdsmerge would
otherwise fetch the schema from the network.
"""

from __future__ import annotations

_REPLACED_AS_A_WHOLE = """
awards/additionalProcurementCategories
awards/amendment/changes
awards/amendment/rationaleClassifications
awards/amendment/relatedLots
awards/amendment/unstructuredChanges
awards/amendments/changes
awards/amendments/rationaleClassifications
awards/amendments/relatedLots
awards/amendments/unstructuredChanges
awards/documents/relatedLots
awards/items/additionalClassifications
awards/items/deliveryAddresses
awards/items/deliveryLocations
awards/relatedLots
awards/subcontracting/subcontracts/mainContractors/additionalIdentifiers
awards/subcontracting/subcontracts/subcontractor/additionalIdentifiers
awards/suppliers/additionalIdentifiers
bids/details/documents/relatedLots
bids/details/subcontracting/subcontracts/mainContractors/additionalIdentifiers
bids/details/subcontracting/subcontracts/subcontractor/additionalIdentifiers
bids/details/tenderers/additionalIdentifiers
buyer/additionalIdentifiers
contracts/amendment/changes
contracts/amendment/rationaleClassifications
contracts/amendment/relatedLots
contracts/amendment/unstructuredChanges
contracts/amendments/changes
contracts/amendments/rationaleClassifications
contracts/amendments/relatedLots
contracts/amendments/unstructuredChanges
contracts/documents/relatedLots
contracts/implementation/documents/relatedLots
contracts/implementation/milestones/documents/relatedLots
contracts/implementation/milestones/relatedLots
contracts/items/additionalClassifications
contracts/items/deliveryAddresses
contracts/items/deliveryLocations
contracts/milestones/documents/relatedLots
contracts/milestones/relatedLots
contracts/proposedAmendments/changes
contracts/proposedAmendments/rationaleClassifications
contracts/proposedAmendments/relatedLots
contracts/proposedAmendments/unstructuredChanges
contracts/relatedProcesses/relationship
parties/additionalContactPoints
parties/additionalIdentifiers
parties/details/classifications
parties/roles
planning/documents/relatedLots
planning/milestones/documents/relatedLots
planning/milestones/relatedLots
relatedProcesses/relationship
tender/additionalClassifications
tender/additionalProcurementCategories
tender/amendment/changes
tender/amendment/rationaleClassifications
tender/amendment/relatedLots
tender/amendment/unstructuredChanges
tender/amendments/changes
tender/amendments/rationaleClassifications
tender/amendments/relatedLots
tender/amendments/unstructuredChanges
tender/coveredBy
tender/deliveryAddresses
tender/deliveryLocations
tender/documents/relatedLots
tender/items/additionalClassifications
tender/items/deliveryAddresses
tender/items/deliveryLocations
tender/lotGroups/awardCriteria/criteria
tender/lotGroups/identifiers
tender/lotGroups/relatedLots
tender/lotGroups/techniques/frameworkAgreement/buyerClassificationRestrictions
tender/lotGroups/techniques/frameworkAgreement/buyerLocationRestrictions
tender/lots/additionalClassifications
tender/lots/additionalProcurementCategories
tender/lots/awardCriteria/criteria
tender/lots/buyer/additionalIdentifiers
tender/lots/coveredBy
tender/lots/identifiers
tender/lots/milestones/documents/relatedLots
tender/lots/milestones/relatedLots
tender/lots/otherRequirements/qualificationSystemConditions
tender/lots/otherRequirements/qualificationSystemMethods
tender/lots/otherRequirements/reservedParticipation
tender/lots/recurrence/dates
tender/lots/selectionCriteria/criteria
tender/lots/submissionTerms/languages
tender/lots/submissionTerms/subcontractingClauses
tender/lots/techniques/frameworkAgreement/buyerClassificationRestrictions
tender/lots/techniques/frameworkAgreement/buyerLocationRestrictions
tender/milestones/documents/relatedLots
tender/milestones/relatedLots
tender/otherRequirements/qualificationSystemConditions
tender/otherRequirements/qualificationSystemMethods
tender/otherRequirements/reservedParticipation
tender/participationFees/methodOfPayment
tender/participationFees/type
tender/procurementMethodRationaleClassifications
tender/procuringEntity/additionalIdentifiers
tender/recurrence/dates
tender/selectionCriteria/criteria
tender/specialRegime
tender/submissionMethod
tender/submissionTerms/languages
tender/submissionTerms/subcontractingClauses
tender/techniques/frameworkAgreement/buyerClassificationRestrictions
tender/techniques/frameworkAgreement/buyerLocationRestrictions
tender/tenderers/additionalIdentifiers
"""
_LEFT_OUT = ("id", "date", "tag")

MERGE_RULES: dict[tuple[str, ...], str] = {
    **{tuple(path.split("/")): "wholeListMerge" for path in _REPLACED_AS_A_WHOLE.split()},
    **{(name,): "omitWhenMerged" for name in _LEFT_OUT},
}
